import { setTimeout as pause } from 'node:timers/promises'
import { CutError } from '../http.ts'
import type { Random } from '../random.ts'
import { abandonUpload, pushWrongDigest } from './abandoned.ts'
import { deleteBlob, deleteManifest, deleteTag } from './deletions.ts'
import { pullImage, readTags } from './pulls.ts'
import { moveTag, pushImage, pushLooseBlob, pushReferrer } from './pushes.ts'
import { repositories, type Worker } from './worker.ts'

/** Of each repository, before deletions outweigh pushes. */
const mostImages = 24

type Action = (worker: Worker, repository: string) => Promise<void>

const weighted: readonly (readonly [number, Action])[] = [
  [36, pushImage],
  [14, moveTag],
  [8, pushReferrer],
  [3, pushLooseBlob],
  [16, pullImage],
  [6, readTags],
  [5, deleteTag],
  [7, deleteManifest],
  [3, deleteBlob],
  [1, pushWrongDigest],
  [2, abandonUpload],
]
const total = weighted.reduce((sum, [weight]) => sum + weight, 0)

const choose = (random: Random): Action => {
  let at = random.next() * total
  for (const [weight, action] of weighted) {
    at -= weight
    if (at < 0) return action
  }
  return pushImage
}

/** Works until it is stopped. A server that is gone is no error here: the cut is what this is for. */
export const work = async (worker: Worker, stopped: () => boolean): Promise<void> => {
  const { random, images, tally } = worker
  while (!stopped()) {
    const repository = random.pick(repositories)
    const full = (images.get(repository)?.size ?? 0) >= mostImages
    const action = full && random.next() < 0.6 ? deleteManifest : choose(random)
    try {
      await action(worker, repository)
    } catch (error) {
      if (!(error instanceof CutError)) throw error
      if (stopped()) return
      tally.dropped += 1
      await pause(2)
    }
  }
}
