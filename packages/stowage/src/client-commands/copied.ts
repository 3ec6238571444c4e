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
  const { blobs, manifests, referrers } = result
  const done = [
    copiedOf(result),
    blobs.mounted > 0 ? `${blobs.mounted} mounted` : '',
    blobs.existing > 0 ? `${count(blobs.existing, 'blob')} there already` : '',
    manifests.existing > 0 ? `${count(manifests.existing, 'manifest')} there already` : '',
    referrers > 0 ? count(referrers, 'referrer') : '',
  ]
  output.line(done.filter(Boolean).join(', '))
  return result
}

/** A manifest alone is no blob: it is told where nothing else was sent. */
const copiedOf = ({ blobs, manifests, bytes }: CopyResult): string => {
  if (blobs.copied > 0) return `${count(blobs.copied, 'blob')} copied (${approximately(bytes)})`
  return manifests.copied > 0 ? `${count(manifests.copied, 'manifest')} copied` : 'nothing to copy'
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

/** What a program is told of a copy. */
export const copiedValue = (
  target: Target,
  tags: readonly string[],
  { root, ...rest }: CopyResult,
): Readonly<Record<string, unknown>> => ({ reference: `${target.name}@${root.digest}`, ...root, tags, ...rest })
