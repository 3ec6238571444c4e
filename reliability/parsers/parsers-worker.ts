import { parentPort, workerData } from 'node:worker_threads'
import { authProperties } from './auth-properties.ts'
import { clientProperties } from './client-properties.ts'
import { configProperties } from './config-properties.ts'
import { httpProperties } from './http-properties.ts'
import { endings, megabyteOf, parsers, pieces } from './long-inputs.ts'
import { ociProperties } from './oci-properties.ts'
import type { ParserProperty } from './property.ts'
import type { ParsersMessage, ParsersTask } from './task.ts'

const properties: readonly ParserProperty[] = [
  ...httpProperties,
  ...ociProperties,
  ...authProperties,
  ...clientProperties,
  ...configProperties,
]
/** At once, so that each is heard of often enough for its parent to know that it goes on. */
const mostAtOnce = 50_000

const { seed, cases, thread, threads } = workerData as ParsersTask
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const say = (message: ParsersMessage): void => parentPort?.postMessage(message)
const isMine = (at: number): boolean => at % threads === thread

const shares = properties.reduce((sum, { share }) => sum + share, 0)
for (const [at, property] of properties.entries()) {
  if (!isMine(at)) continue
  let left = Math.ceil((cases * property.share) / shares)
  for (let part = 0; left > 0; part += 1) {
    const now = Math.min(left, mostAtOnce)
    left -= now
    say({ kind: 'begun', what: property.name })
    const problem = await property.run(now, seed + part)
    say({ kind: 'cases', count: now })
    if (problem === undefined) continue
    say({ kind: 'failure', text: problem.slice(0, 3000) })
    break
  }
}
for (const [at, [name, parse]] of Object.entries(parsers).entries()) {
  if (!isMine(at)) continue
  for (const piece of pieces) {
    for (const ending of endings) {
      say({ kind: 'begun', what: `${name} of a megabyte of ${JSON.stringify(piece)} and ${JSON.stringify(ending)}` })
      try {
        parse(megabyteOf(piece, ending))
      } catch {
        // Refused.
      }
      say({ kind: 'long' })
    }
  }
}
say({ kind: 'done', properties: properties.length })
