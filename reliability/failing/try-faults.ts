import { createHttpClient, type HttpAnswer } from '../http.ts'
import { contentOf, pushBlob } from '../image.ts'
import type { Random } from '../random.ts'
import { type Exchange, exchanges, type Place, type Prepared, problemOf } from './exchanges.ts'
import { applies, calls, type Fault, faultKinds } from './faulty-files.ts'
import { openFaultyRegistry } from './faulty-registry.ts'

export interface Tried {
  requests: number
  callsFailed: number
  /** Answered with success all the same, and rightly: the call was not needed. */
  tolerated: number
  refused: number
  cut: number
  pulls: number
  falseSuccesses: number
  wrongStatuses: number
  notMended: number
  corruptPulls: number
  readonly failures: string[]
}

export interface TryFaults {
  readonly directory: string
  readonly random: Random
  /** Whether faults that stay until they are taken away are tried too. */
  readonly staying: boolean
  readonly signal: AbortSignal
}

/** Lets each call of each exchange fail in each way. */
export const tryFaults = async ({ directory, random, staying, signal }: TryFaults): Promise<Tried> => {
  await using faulty = await openFaultyRegistry(directory)
  using client = createHttpClient(faulty.url)
  const { faults, registry } = faulty
  const place: Place = {
    client,
    random,
    sweep: async (after) => {
      faulty.wait(after)
      await registry.sweep()
    },
  }
  const tried: Tried = {
    requests: 0,
    callsFailed: 0,
    tolerated: 0,
    refused: 0,
    cut: 0,
    pulls: 0,
    falseSuccesses: 0,
    wrongStatuses: 0,
    notMended: 0,
    corruptPulls: 0,
    failures: [],
  }
  const standing = contentOf(random.bytes(30_000))
  const { status } = await pushBlob(client, 'failing/blobs', standing)
  if (status !== 201) throw new Error(`The first push gave ${status}.`)

  for (const exchange of exchanges) {
    // What others have left to sweep must not count.
    await place.sweep(300_000)
    const prepared = await exchange.prepare(place)
    faults.counts()
    const healthy = await prepared.attempt()
    const counts = faults.counts()
    const problem = await prepared.verify()
    if (healthy?.status !== prepared.done || problem !== undefined)
      throw new Error(`${exchange.name} without a fault gave ${describe(healthy)}: ${problem ?? ''}`)
    for (const call of calls) {
      for (let at = 1; at <= (counts.get(call) ?? 0); at++) {
        for (const kind of faultKinds) {
          if (!applies(call, kind)) continue
          for (const stays of staying ? [false, true] : [false]) {
            signal.throwIfAborted()
            await tryOne(exchange, { call, at, kind, stays })
          }
        }
      }
    }
  }
  return tried

  async function tryOne(exchange: Exchange, fault: Fault): Promise<void> {
    const { call, at, kind, stays } = fault
    const what = `${exchange.name}, ${kind}${stays ? ' that stays' : ''} at ${call} ${at}`
    const fail = (count: 'falseSuccesses' | 'wrongStatuses' | 'notMended' | 'corruptPulls', why: string): void => {
      tried[count] += 1
      tried.failures.push(`${what}: ${why}`)
    }
    const prepared = await exchange.prepare(place)
    faults.arm(fault)
    const answer = await prepared
      .attempt()
      .catch((error: unknown) => fail('wrongStatuses', `a push ended with ${String(error)}`))
    tried.requests += 1
    // What is stored can be pulled while the disk takes nothing.
    const isWriting = ['write', 'sync', 'rename', 'unlink', 'truncate', 'mkdir', 'rmdir'].includes(call)
    if (stays && isWriting) {
      tried.pulls += 1
      const problem = await problemOf(client, standing)
      if (problem !== undefined) fail('corruptPulls', `while it stays, ${problem}`)
    }
    const failed = faults.disarm()
    tried.callsFailed += failed.length
    judge(answer, prepared, failed, fault, fail)
    // As a probe of readiness does; without it a push finds out, but not twice within a second.
    if (stays || call === 'sync')
      await registry.check().catch((error: unknown) => fail('notMended', `the check says ${String(error)}`))
    const again = await prepared.attempt().catch(() => undefined)
    tried.requests += 1
    if (again?.status !== prepared.done && again?.status !== prepared.doneBefore)
      fail('notMended', `the same request afterwards gave ${describe(again)}`)
    const problem = await prepared.verify()
    tried.pulls += 1
    if (problem !== undefined) fail('corruptPulls', problem)
  }

  function judge(
    answer: HttpAnswer | void | undefined,
    { done, writes }: Prepared,
    failed: readonly string[],
    { call, kind }: Fault,
    fail: (count: 'falseSuccesses' | 'wrongStatuses', why: string) => void,
  ): void {
    if (!answer) {
      tried.cut += 1
      if (writes !== undefined) fail('wrongStatuses', 'the connection of a push was cut')
      return
    }
    if (answer.status === done) {
      if (failed.length > 0) tried.tolerated += 1
      // A call failed without which the bytes are not durable, and the answer says that they are.
      const isNeeded = call === 'sync' || call === 'write' || call === 'rename'
      if (writes !== undefined && kind !== 'short' && isNeeded && failed.some((path) => concerns(path, writes)))
        fail('falseSuccesses', `it was answered ${answer.status}`)
      return
    }
    tried.refused += 1
    const expected = ['ENOSPC', 'EDQUOT'].includes(kind) ? [507, 503] : [503]
    if (!expected.includes(answer.status)) fail('wrongStatuses', `it was answered ${describe(answer)}`)
    else if (!/^\d+$/.test(String(answer.headers['retry-after']))) fail('wrongStatuses', 'there was no Retry-After')
  }
}

const describe = (answer: HttpAnswer | undefined): string =>
  answer === undefined ? 'a cut' : `${answer.status} ${answer.body.toString().slice(0, 150)}`

/** Every half minute the registry sweeps by itself, and a call that fails may be one of that: in the directory of another blob. */
const concerns = (path: string, digest: string): boolean => {
  const [, shard] = /\/blobs\/sha256\/([0-9a-f]{2})$/.exec(path) ?? []
  return shard === undefined || digest.startsWith(`sha256:${shard}`)
}
