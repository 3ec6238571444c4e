/**
 * Whether the time of a refusal tells what is not to be told: `npx tsc -b && node bench/access-timing.ts`
 *
 *   --samples 2000   of each of two that are compared, taken in turns
 *
 * Prints the medians and their difference, and for a yardstick the difference between the two halves of one and the same.
 * Asserts nothing: what is equal by construction is counted in a test, time is only ever measured.
 */
import { createHash } from 'node:crypto'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { createRegistry, memoryBlobs, sqliteMetadata } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'
import { median, percentile } from './statistics.ts'
import { wholeNumber } from './suite.ts'

const { values: options } = parseArgs({ options: { samples: { type: 'string', default: '2000' } } })
const samples = wholeNumber('--samples', options.samples)

/** Time goes faster here, so that nobody is slowed down for guessing. */
let clock = Date.now()
await using registry = await createRegistry({
  storage: { metadata: await sqliteMetadata({ path: ':memory:' }), blobs: memoryBlobs() },
  accounts: { secret: 'a secret of 32 characters for the bench', tokenLifetime: 3600 },
  limits: { openUploads: 1_000_000, allOpenUploads: 1_000_000 },
  now: () => clock,
})
const { accounts } = registry
if (accounts === undefined) throw new Error('The registry has no accounts.')
const server = createServer(toNodeHandler(registry))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

interface Asked {
  readonly method?: string
  readonly path: string
  readonly authorization: string
  readonly body?: string
}

/** Milliseconds until the answer was there to its last byte. */
async function ask({ method = 'GET', path, authorization, body }: Asked, expected: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const headers = {
    authorization,
    ...((method !== 'GET' || body !== undefined) && { 'content-length': Buffer.byteLength(body ?? '') }),
  }
  const began = performance.now()
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
    response.resume()
    response.on('end', () => {
      if (response.statusCode === expected) resolve(performance.now() - began)
      else reject(new Error(`${method} ${path} answered ${response.statusCode} instead of ${expected}`))
    })
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** Takes samples of the two in turns, each time in another order, and prints what came of it. */
async function compare(
  title: string,
  first: readonly [name: string, sample: (at: number) => Promise<number>],
  second: readonly [name: string, sample: (at: number) => Promise<number>],
): Promise<void> {
  const times: Record<string, number[]> = { [first[0]]: [], [second[0]]: [] }
  for (let at = -20; at < samples; at++) {
    for (const [name, sample] of at % 2 === 0 ? [first, second] : [second, first]) {
      const time = await sample(at)
      // The first few warm up.
      if (at >= 0) times[name]?.push(time)
    }
  }
  console.log(`\n${title}: ${samples} samples of each`)
  const [one = [], other = []] = Object.values(times)
  for (const [name, values] of Object.entries(times)) {
    console.log(
      `  ${name.padEnd(32)} median ${median(values).toFixed(4)} ms, p90 ${percentile(values, 90).toFixed(4)} ms`,
    )
  }
  const difference = median(other) - median(one)
  const halves = median(one.filter((_, at) => at % 2 === 0)) - median(one.filter((_, at) => at % 2 === 1))
  const percent = (value: number): string => `${((value / median(one)) * 100).toFixed(2)} %`
  console.log(`  difference of the medians        ${difference.toFixed(4)} ms (${percent(difference)})`)
  console.log(`  between halves of the first      ${halves.toFixed(4)} ms (${percent(halves)})`)
}

try {
  // A user for each guess: who has been asked for before is remembered.
  await accounts.addUser({ name: 'boss', password: 'the password of the boss', administrator: true })
  await accounts.addUser({ name: 'ann', password: 'the password of ann' })
  await accounts.addRule({
    subject: { kind: 'user', name: 'ann' },
    repositories: 'mine/*',
    actions: ['pull', 'push', 'delete'],
  })
  const guess =
    (name: (at: number) => string) =>
    async (at: number): Promise<number> => {
      clock += 60_000
      return ask({ path: '/v2/', authorization: basic(name(at), 'incorrect horse battery') }, 401)
    }
  await compare('A wrong password', ['of a user', guess(() => 'ann')], ['of nobody', guess(() => 'bob')])
  await compare(
    'A wrong password',
    ['of a user', guess(() => 'ann')],
    ['of nobody, each time another', guess((at) => `nobody-${at + 20}`)],
  )

  const boss = basic('boss', 'the password of the boss')
  const push = async (repository: string, text: string): Promise<void> => {
    const path = `/v2/${repository}/blobs/uploads/?digest=${sha256(text)}`
    await ask({ method: 'POST', path, authorization: boss, body: text }, 201)
  }
  await push('theirs/app', 'elsewhere')
  await push('mine/app', 'mine')
  const query = new URLSearchParams({ scope: 'repository:mine/app:pull,push' })
  const login = { authorization: basic('ann', 'the password of ann') }
  // Whoever guessed has given up.
  clock += 3_600_000
  const answer = await fetch(`http://127.0.0.1:${port}/auth/token?${query.toString()}`, { headers: login })
  const { token } = (await answer.json()) as { token: string }
  const blob =
    (digest: string, method: string, expected: number, path: (digest: string) => string) => async (): Promise<number> =>
      ask({ method, path: path(digest), authorization: `Bearer ${token}` }, expected)
  const [elsewhere, nowhere] = [sha256('elsewhere'), sha256('nowhere')]
  for (const [title, method, expected, path] of [
    ['HEAD of a blob', 'HEAD', 404, (digest: string) => `/v2/mine/app/blobs/${digest}`],
    ['GET of a blob', 'GET', 404, (digest: string) => `/v2/mine/app/blobs/${digest}`],
    [
      'A mount from where it is',
      'POST',
      202,
      (digest: string) => `/v2/mine/app/blobs/uploads/?mount=${digest}&from=theirs/app`,
    ],
    ['A mount from wherever', 'POST', 202, (digest: string) => `/v2/mine/app/blobs/uploads/?mount=${digest}`],
  ] as const) {
    await compare(
      title,
      ['that is nowhere', blob(nowhere, method, expected, path)],
      ['that is in another repository', blob(elsewhere, method, expected, path)],
    )
  }
} finally {
  agent.destroy()
  await new Promise((resolve) => server.close(resolve).closeAllConnections())
}
