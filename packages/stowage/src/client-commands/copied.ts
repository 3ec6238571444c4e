import type { CopyJob, CopyResult, Target } from '@stowage/client'
import { approximately } from '../terminal/bytes.ts'
import { followCopy } from '../terminal/progress.ts'
import type { Tools } from './tools.ts'

/** Shows a copy until it ends, finishes its target, and says in one line what was done. */
export const finishCopy = async (
  job: CopyJob,
  target: Target,
  { progress, output, call }: Pick<Tools, 'progress' | 'output' | 'call'>,
): Promise<CopyResult> => {
  await followCopy(job, progress, output)
  const result = await job.result
  await target.finish(call)
  const { blobs, manifests, referrers, bytes } = result
  const done = [
    `${count(blobs.copied, 'blob')} copied (${approximately(bytes)})`,
    blobs.mounted > 0 ? `${blobs.mounted} mounted` : '',
    blobs.existing + manifests.existing > 0 ? `${blobs.existing + manifests.existing} there already` : '',
    referrers > 0 ? count(referrers, 'referrer') : '',
  ]
  output.line(done.filter(Boolean).join(', '))
  return result
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

/** What a program is told of a copy. */
export const copiedValue = (
  target: Target,
  tags: readonly string[],
  { root, ...rest }: CopyResult,
): Readonly<Record<string, unknown>> => ({ reference: `${target.name}@${root.digest}`, ...root, tags, ...rest })
