import { connect } from 'node:net'
import type { Random } from '../random.ts'
import { type ReadAnswers, readAnswers } from './answers.ts'
import { bytesOf, type Draft } from './draft.ts'
import { wellFormed } from './grammar.ts'
import { chance } from './random-choice.ts'
import { spoil } from './spoil.ts'
import type { World } from './world.ts'

/** What is sent over one connection. */
export interface Plan {
  readonly requests: readonly Draft[]
  readonly bytes: Buffer
  /**
   * `close`: the last request says so, and the server has to. `end`: we end our side behind the last byte, at once or when nothing
   * came for a while. `cut`: we are gone somewhere in the middle. `wait`: we send no more and see what the server makes of that.
   */
  readonly ending: 'close' | 'end' | 'cut' | 'wait'
  /**
   * Bytes sent before each pause. It lasts so many milliseconds, or until so many answers are there: when Node's parser ends a
   * connection, answers that are on their way are lost, and would never be looked at.
   */
  readonly pauses: readonly Pause[]
}

type Pause = { readonly at: number } & ({ readonly milliseconds: number } | { readonly answers: number })

/** @param slow Whether it may take seconds. */
export const planExchange = (random: Random, world: World, slow: boolean): Plan => {
  const requests: Draft[] = []
  const count = slow ? random.between(1, 3) : random.between(1, 40)
  while (requests.length < count && requests.at(-1)?.last !== true) {
    const request = wellFormed(random, world)
    const final = requests.length === count - 1
    spoil(request, random, world, final)
    // What ends a connection belongs to its end: most of what would stand behind it would never be looked at.
    if (final || !request.last || chance(random, 0.1)) requests.push(request)
  }
  const doubtful = requests.at(-1)?.last === true
  const cut = chance(random, slow ? 0.2 : 0.04)
  const ending = cut ? 'cut' : slow && chance(random, 0.4) ? 'wait' : doubtful ? 'end' : 'close'
  const parts = requests.map((request, at) => bytesOf(request, ending === 'close' && at === requests.length - 1))
  const all = Buffer.concat(parts)
  const partial = cut || (ending === 'wait' && chance(random, 0.7))
  const bytes = partial ? all.subarray(0, random.between(1, all.byteLength)) : all
  const sure = requests.length - 1
  const before = all.byteLength - (parts.at(-1)?.byteLength ?? 0)
  const pauses: Pause[] = slow
    ? Array.from({ length: random.between(1, 8) }, () => ({
        at: random.between(0, bytes.byteLength),
        milliseconds: random.pick([1, 10, 50, 300]),
      })).toSorted((one, other) => one.at - other.at)
    : doubtful && !cut && sure > 0
      ? [{ at: before, answers: sure }]
      : []
  return { requests, bytes, ending, pauses }
}

export interface Outcome extends ReadAnswers {
  readonly received: Buffer
  /** The server has ended the connection; otherwise it hangs. */
  readonly ended: boolean
  /** It was reset, so that answers may be lost that the server has given. */
  readonly reset: boolean
}

/** How long a pause for answers lasts at most: they may never come. Milliseconds. */
const patience = 10_000

/** After so long without a byte we end our side of a connection on which the server may wait for more. Milliseconds. */
const silence = 60

/** @param bound Milliseconds in which the server must have ended the connection. */
export const runExchange = async (port: number, plan: Plan, bound: number): Promise<Outcome> =>
  new Promise((resolve) => {
    const { bytes, ending, pauses } = plan
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const chunks: Buffer[] = []
    let reset = false
    let timer: NodeJS.Timeout | undefined
    // Blank lines before a request are let pass.
    const methods = plan.requests.map(({ method }) => method.trim())
    let wanted = Infinity
    let goOn: (() => void) | undefined
    const settle = (ended: boolean): void => {
      clearTimeout(deadline)
      clearTimeout(timer)
      socket.destroy()
      const received = Buffer.concat(chunks)
      resolve({ ...readAnswers(received, methods, ended), received, ended, reset })
    }
    const deadline = setTimeout(() => settle(false), bound)
    const endSoon = (): void => {
      if (timer === undefined) timer = setTimeout(() => socket.end(), silence)
      else timer.refresh()
    }
    const sent = (): void => {
      if (ending === 'cut') socket.destroy()
      else if (ending === 'end') endSoon()
    }
    let at = 0
    const step = (index: number): void => {
      if (socket.destroyed || !socket.writable) return
      const pause = pauses[index]
      const end = pause?.at ?? bytes.byteLength
      if (end > at) socket.write(bytes.subarray(at, end), pause === undefined ? sent : undefined)
      else if (pause === undefined) sent()
      at = end
      if (pause === undefined) return
      if ('milliseconds' in pause) setTimeout(() => step(index + 1), pause.milliseconds)
      else {
        const impatience = setTimeout(() => goOn?.(), patience)
        wanted = pause.answers
        goOn = () => {
          clearTimeout(impatience)
          wanted = Infinity
          goOn = undefined
          step(index + 1)
        }
      }
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      if (timer !== undefined) timer.refresh()
      if (wanted < Infinity && readAnswers(Buffer.concat(chunks), methods, false).answers.length >= wanted) goOn?.()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') reset = true
      else chunks.push(Buffer.from(`the connection failed: ${error.code ?? error.message}`))
    })
    // The server has said its last; what we have not sent yet nobody reads.
    socket.on('end', () => socket.end())
    socket.on('close', () => settle(true))
    step(0)
  })

/** What is wrong with what came; undefined when nothing is. */
export const missingAnswer = (plan: Plan, outcome: Outcome): string | undefined => {
  if (plan.ending === 'cut') return undefined
  if (!outcome.ended) return 'no end of the connection: it hangs'
  // Where the parser ends a connection, or we do, or we are too slow, what was under way on it is lost.
  if (plan.ending !== 'close' || outcome.reset || plan.pauses.length > 0) return undefined
  const { answers } = outcome
  const last = answers.at(-1)
  if (last?.whole === false) return 'an answer that breaks off'
  if (answers.length > plan.requests.length) return `${answers.length} answers to ${plan.requests.length} requests`
  if (answers.length < plan.requests.length && last?.headers.get('connection') !== 'close')
    return `${answers.length} answers to ${plan.requests.length} requests, and no word that there will be no more`
  return undefined
}
