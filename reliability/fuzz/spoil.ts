import type { Random } from '../random.ts'
import { bodyMutations } from './body-mutations.ts'
import type { Draft } from './draft.ts'
import { framingMutations } from './framing-mutations.ts'
import { headerMutations } from './header-mutations.ts'
import { chance, weighted } from './random-choice.ts'
import { type Mutation, pathMutations, queryMutations } from './target-mutations.ts'
import type { World } from './world.ts'

const kinds = weighted<readonly Mutation[]>([
  [4, pathMutations],
  [4, queryMutations],
  [5, headerMutations],
  [2, bodyMutations],
])

/** What Node's parser lets stand in a request target: with anything else it ends the connection. */
const readable = /^[\x21-\x7e]+$/

/**
 * Spoils a request in a number of ways. Many have none or one: behind the first fault nothing else of a request is looked at.
 *
 * @param doubtful Whether it may be one after which nothing can follow.
 */
export const spoil = (request: Draft, random: Random, world: World, doubtful: boolean): void => {
  const first = random.next()
  let times = first < 0.3 ? 0 : first < 0.75 ? 1 : first < 0.9 ? 2 : random.between(3, 6)
  for (; times > 0; times -= 1) {
    random.pick(random.pick(kinds))(request, random, world)
    if (!['length', 'chunked'].includes(request.framing) && request.body.byteLength > 0) request.framing = 'length'
  }
  if (doubtful && chance(random, 0.7)) random.pick(framingMutations)(request, random, world)
  const head = request.lines.reduce(
    (sum, line) => sum + line.length,
    request.path.length + request.query.join('&').length,
  )
  if (head > 15_000 || !readable.test(request.path) || !request.query.every((part) => readable.test(part)))
    request.last = true
}
