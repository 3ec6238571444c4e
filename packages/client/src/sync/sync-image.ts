import { type Descriptor, isIndexMediaType } from '@stowage/oci'
import { copy } from '../copy/copy.ts'
import type { EventQueue } from '../copy/event-queue.ts'
import { isNotFound } from '../errors.ts'
import type { Series, SeriesImage } from './series.ts'
import type { SyncedImage, SyncEvent, SyncImage, SyncOptions } from './sync-options.ts'

/** Copies one image of a series, unless the target has it. @throws {ClientError} whatever it fails with */
export const syncImage = async (
  { source, target, knowledge }: Series,
  { reference, tag }: SeriesImage,
  image: SyncImage,
  options: SyncOptions & { readonly signal: AbortSignal },
  events: EventQueue<SyncEvent>,
): Promise<SyncedImage> => {
  const {
    platforms = [],
    referrers,
    digestTags,
    force,
    dryRun,
    keepOld,
    blobConcurrency,
    index,
    hash,
    signal,
  } = options
  const existing = (descriptor: Descriptor): SyncedImage => ({
    ...image,
    outcome: 'existing',
    descriptor,
    bytes: 0,
    error: undefined,
  })
  const mayBeThere = tag !== undefined && !knowledge.lacksTag(tag)
  const there = async (): Promise<Descriptor | undefined> => {
    try {
      return tag === undefined ? undefined : await target.resolve(tag, { signal, fresh: true })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
  if (keepOld === true && mayBeThere) {
    const old = await there()
    if (old !== undefined) return existing(old)
  }
  const rootOnly = platforms.length === 0 && referrers !== true && digestTags !== true && force !== true
  if (rootOnly && mayBeThere && keepOld !== true) {
    // Two questions at once that no registry counts as a pull.
    const [wanted, old] = await Promise.all([source.resolve(reference, { signal }), there()])
    // Of an index some children may be missing: the copy asks for those, unless another image had the same.
    const isWhole = !isIndexMediaType(wanted.mediaType) || knowledge.manifests.has(wanted.digest)
    if (wanted.digest === old?.digest && isWhole) return existing(wanted)
  }
  const job = copy(
    { source, reference },
    { target, tags: tag === undefined ? [] : [tag] },
    {
      platforms,
      knowledge,
      signal,
      ...(index === undefined ? {} : { index }),
      ...(referrers === undefined ? {} : { referrers }),
      ...(digestTags === undefined ? {} : { digestTags }),
      ...(force === undefined ? {} : { force }),
      ...(blobConcurrency === undefined ? {} : { concurrency: blobConcurrency }),
      ...(hash === undefined ? {} : { hash }),
    },
  )
  for await (const event of job) events.push({ type: 'copy', image, event })
  const { root, manifests, bytes } = await job.result
  const outcome = manifests.copied === 0 ? 'existing' : dryRun === true ? 'would-copy' : 'copied'
  return { ...image, outcome, descriptor: root, bytes, error: undefined }
}
