import { setTimeout as pause } from 'node:timers/promises'
import { startFuzzedServer, type FuzzedServer } from '../fuzz/fuzzed-server.ts'
import { type GeneratorCounts, runGenerator } from '../fuzz/generator.ts'
import { checkAfterwards } from '../fuzz/afterwards.ts'
import { createMemoryWatch, inMebibytes } from '../fuzz/memory-watch.ts'
import type { Row, RowContext, RowOutcome } from '../row.ts'

const sizes = { small: 50_000, full: 1_000_000 } as const

/**
 * Milliseconds in which the server must have ended a connection that it is done with, or that is done with it: 30 s beyond the
 * longest of its own times, the 15 s for a head, which it looks at every 5 s.
 */
const bound = 50_000

/** What must have been reached: a fuzz that only ever sees 400 shows nothing. */
const wanted = [200, 201, 202, 204, 206, 304, 400, 401, 404, 405, 413, 414, 415, 416, 417, 431]

/** Two servers, since nobody is ever told to log in where everybody may do everything. */
export const httpFuzz: Row = {
  name: 'http-fuzz',
  title: 'requests as nobody should send them',
  method:
    'Raw TCP from a grammar of all routes, spoiled in path, query, headers, method, framing, body and timing, many on one connection, ' +
    'some half, cut off or slow, against one server without accounts and one with. Every answer is read by a strict reader. Counted ' +
    'as failures: an answer of 500 or more, no end of a connection within 50 s, bytes that are no HTTP, errors that are not in the ' +
    'format of the specification, a logged defect, memory or descriptors that grow, a push or pull that does not work afterwards.',
  portable: false,
  run: async (context) => {
    await using open = await startFuzzedServer(context.directory, 'open')
    await using withAccounts = await startFuzzedServer(context.directory, 'accounts')
    const servers = [open, withAccounts]
    const failures: string[] = []
    const began = performance.now()
    const counts = await Promise.all(servers.map(async (server) => fuzz(server, context, failures)))
    const seconds = (performance.now() - began) / 1000
    for (const server of servers) failures.push(...(await checkAfterwards(server)))
    return outcomeOf(counts, seconds, failures)
  },
}

const fuzz = async (
  server: FuzzedServer,
  { size, seed, say, signal }: RowContext,
  failures: string[],
): Promise<Measured> => {
  const requests = sizes[size] / 2
  const memory = createMemoryWatch(server.pid, size)
  let heard = 0
  const counts = await runGenerator(
    {
      url: server.url,
      account: server.account,
      seed: seed + (server.account === undefined ? 0 : 1),
      requests,
      bound,
      waiting: size === 'full',
    },
    {
      signal,
      onProgress: (now) => {
        memory.sample(now.requests / requests)
        const tenth = Math.floor((10 * now.requests) / requests)
        if (tenth > heard) say(`${server.name}: ${now.requests} requests, ${now.connections} connections`)
        heard = Math.max(heard, tenth)
      },
      onFailure: (text) => failures.push(`${server.name}: ${text}`),
    },
  )
  // What is idle now is closed within the keep-alive time.
  await pause(server.idleMilliseconds + 1500, undefined, { signal })
  if (server.child.ended()) return { ...counts, growth: undefined }
  failures.push(...memory.problems(true).map((problem) => `${server.name}: ${problem}`))
  return { ...counts, growth: memory.growth() }
}

interface Measured extends GeneratorCounts {
  readonly growth: number | undefined
}

const outcomeOf = (counts: readonly Measured[], seconds: number, failures: string[]): RowOutcome => {
  const sum = (of: (one: Measured) => number): number => counts.reduce((total, one) => total + of(one), 0)
  const count = (status: number): number => sum(({ statuses }) => statuses[status] ?? 0)
  const requests = sum((one) => one.requests)
  for (const status of wanted)
    if (count(status) === 0) failures.push(`no request was answered ${status}: the fuzz did not get there`)
  const classes = [2, 3, 4, 5].map((hundred) => {
    const total = sum(({ statuses }) =>
      Object.entries(statuses).reduce(
        (all, [status, times]) => all + (Math.floor(Number(status) / 100) === hundred ? times : 0),
        0,
      ),
    )
    return [`answers of ${hundred}xx`, total] as const
  })
  return {
    figures: {
      requests,
      connections: sum((one) => one.connections),
      'requests a second': Math.round(requests / seconds),
      ...Object.fromEntries(classes),
      resets: sum((one) => one.resets),
      'growth of memory after warm-up, MiB': counts.map(({ growth }) => inMebibytes(growth)).join(' and '),
    },
    failures,
  }
}
