import { type Descriptor, type Digest, referrersTag } from '@stowage/oci'
import { ClientError, isNotFound } from '../errors.ts'
import { createBlobCopier } from './blob-copier.ts'
import { checkCopyOptions, checkTags } from './check-options.ts'
import { type CopyEvents, createEventQueue } from './events.ts'
import { queuedJob } from './job.ts'
import type { CopyContext } from './context.ts'
import { createManifestCopier, parseOn } from './manifest-copier.ts'
import type { CopyJob, CopyOptions, CopyResult, CopySource, CopyTarget } from './options.ts'
import { eachOnSide, onSide } from './side.ts'

/** Digests that tags carry: `sha256-<hex>`, of long ones the first 64 digits, and what cosign puts behind it. */
const digestTag = /^(sha256-[0-9a-f]{64}|sha384-[0-9a-f]{64}(?:[0-9a-f]{32})?|sha512-[0-9a-f]{64})(\..+)?$/

/**
 * Copies an image, or an index with all its images, from any source to any target. Blobs come before the manifests that name
 * them, and the tag last: a reader of the target sees all of it or nothing. Begins at once.
 *
 * What is there already is not copied again; blobs of the same registry are mounted. A copy that was broken off goes on where
 * it was when it is begun again.
 *
 * @throws {ClientError} by `result`, and while events are read; its `side` says whose fault it is
 */
export const copy = (from: CopySource, to: CopyTarget, options: CopyOptions = {}): CopyJob => {
  const events = createEventQueue()
  return queuedJob(run(from, to, options, events), events)
}

const run = async (
  from: CopySource,
  to: CopyTarget,
  unchecked: CopyOptions,
  events: CopyEvents,
): Promise<CopyResult> => {
  const options = checkCopyOptions(unchecked)
  checkTags(to)
  // The first failure ends what else is under way.
  const failed = new AbortController()
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal])
  const counts = { manifest: { copied: 0, existing: 0, mounted: 0 }, blob: { copied: 0, existing: 0, mounted: 0 } }
  let bytes = 0
  let retries = 0
  let missingReferrers = 0
  const context: CopyContext = {
    from,
    to,
    options,
    signal,
    found: (role, descriptor) => events.push({ type: 'found', role, descriptor }),
    done: (role, descriptor, outcome) => {
      counts[role][outcome]++
      if (role === 'blob' && outcome === 'copied') bytes += descriptor.size
      events.push({ type: 'done', role, descriptor, outcome })
    },
    progress: (descriptor, sent) => events.push({ type: 'progress', descriptor, sent }),
    missing: (descriptor) => {
      missingReferrers++
      events.push({ type: 'missing', descriptor })
    },
    retry: (descriptor) => (error) => {
      retries++
      events.push({ type: 'retry', descriptor, error })
    },
    // The first one is the reason; what fails after it does so because it was stopped.
    fail: (error) => failed.abort(error),
  }
  try {
    const blobs = createBlobCopier(context)
    const manifests = createManifestCopier(context, blobs)
    const root = await manifests.copyRoot()
    const referrers = options.referrers === true ? await copyReferrers(context, manifests) : 0
    if (options.digestTags === true) await copyDigestTags(context, manifests)
    const { copied, existing } = counts.manifest
    return { root, manifests: { copied, existing }, blobs: counts.blob, bytes, referrers, missingReferrers, retries }
  } catch (error) {
    failed.abort(error)
    if (options.signal?.aborted === true) throw new ClientError('aborted', 'Stopped as asked.', { cause: error })
    throw failed.signal.reason
  }
}

type Manifests = ReturnType<typeof createManifestCopier>

/** Deeper than any chain of referrers that is meant: a signature of an SBOM of an image is three. */
const deepest = 20

/** Referrers, and what refers to them, until nothing new is found. */
const copyReferrers = async (context: CopyContext, manifests: Manifests): Promise<number> => {
  const { from, signal, retry } = context
  const missing = new Set<Digest>()
  let count = 0
  let subjects: readonly Digest[] = [...manifests.seen]
  for (let depth = 0; subjects.length > 0; depth++) {
    const next: Digest[] = []
    for (const subject of subjects) {
      const list = from.source.referrers(subject, { signal, onRetry: retry(undefined) })
      for await (const descriptor of eachOnSide('source', list)) {
        const { digest } = descriptor
        if (manifests.seen.has(digest) || missing.has(digest)) continue
        const bytes = await readReferrer(context, descriptor)
        if (bytes === undefined) {
          missing.add(digest)
          context.missing(descriptor)
          continue
        }
        // An index lists its children beside what refers to it; only what names the subject is a referrer.
        if (parseOn('source', bytes, descriptor).subject?.digest !== subject) continue
        if (depth === deepest) {
          throw new ClientError(
            'invalid-content',
            `${from.source.name}: more than ${deepest} referrers of each other.`,
            {
              side: 'source',
            },
          )
        }
        await manifests.copy(descriptor, bytes)
        count++
        next.push(digest)
      }
    }
    subjects = next
  }
  return count
}

/** Undefined for what is listed and gone: lists that clients keep have such. */
const readReferrer = async (
  { from, signal, retry }: CopyContext,
  descriptor: Descriptor,
): Promise<Uint8Array | undefined> => {
  try {
    return await onSide('source', from.source.getManifest(descriptor, { signal, onRetry: retry(descriptor) }))
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

const copyDigestTags = async ({ from, options, signal, retry }: CopyContext, manifests: Manifests): Promise<void> => {
  const wanted = new Set([...manifests.seen].flatMap((digest) => [referrersTag(digest), digest.replace(':', '-')]))
  const tags: string[] = []
  for await (const tag of eachOnSide('source', from.source.tags({ signal, onRetry: retry(undefined) }))) {
    const [, digest = '', suffix] = digestTag.exec(tag) ?? []
    // The list of referrers itself is made by the target of what is pushed to it.
    if (wanted.has(digest) && (suffix !== undefined || options.referrers !== true)) tags.push(tag)
  }
  for (const tag of tags) {
    const descriptor = await onSide('source', from.source.resolve(tag, { signal }))
    await manifests.copy(descriptor, undefined, [tag])
  }
}
