import { type Draft, bytesOf } from './draft.ts'
import { type Outcome, type Plan, runExchange } from './exchange.ts'
import { answerProblem } from './verdict.ts'

/** Requests that are sent at most to make one smaller. */
const most = 60

/** What is wrong with the answers of an exchange; undefined when nothing is. */
export const outcomeProblem = ({ requests }: Plan, { answers, problem }: Outcome): string | undefined => {
  if (problem !== undefined) return `no valid HTTP: ${problem}`
  for (const [at, answer] of answers.entries()) {
    const found = answerProblem(answer, requests[at])
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Looks for a shorter request that is answered as wrongly: the one at fault alone, then without lines, parts of its query and
 * its body. Gives the exchange as it was where that does not happen again.
 */
export const minimise = async (port: number, plan: Plan, outcome: Outcome): Promise<Buffer> => {
  const at = outcome.answers.findIndex((answer, index) => answerProblem(answer, plan.requests[index]) !== undefined)
  const culprit = plan.requests[Math.max(0, at)]
  if (culprit === undefined) return plan.bytes
  let sent = 0
  const fails = async (request: Draft): Promise<boolean> => {
    if (sent >= most) return false
    sent += 1
    const bytes = bytesOf(request, !request.last)
    const single: Plan = { requests: [request], bytes, ending: request.last ? 'end' : 'close', pauses: [] }
    return outcomeProblem(single, await runExchange(port, single, 5000)) !== undefined
  }
  if (!(await fails(culprit))) return plan.bytes
  const best = { ...culprit }
  for (const list of ['query', 'lines'] as const) {
    for (let index = best[list].length - 1; index >= 0; index -= 1) {
      const without = best[list].toSpliced(index, 1)
      if (await fails({ ...best, [list]: without })) best[list] = without
    }
  }
  if (best.framing !== 'own' && (await fails({ ...best, body: Buffer.alloc(0) }))) best.body = Buffer.alloc(0)
  return bytesOf(best, !best.last)
}

/** Bytes as `printf '%b'` of a shell takes them, so that they can be sent once more. */
export const escaped = (bytes: Buffer, longest = 3000): string => {
  let text = ''
  for (const byte of bytes.subarray(0, longest)) {
    if (byte === 0x0d) text += '\\r'
    else if (byte === 0x0a) text += '\\n'
    else if (byte === 0x5c) text += '\\\\'
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte)
    else text += `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return bytes.byteLength > longest ? `${text}… (${bytes.byteLength} bytes)` : text
}
