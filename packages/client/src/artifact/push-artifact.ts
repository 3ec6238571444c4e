import type { Descriptor } from '@stowage/oci'
import type { Target } from '../content/ports.ts'
import { copy } from '../copy/copy.ts'
import type { CopyJob, CopyOptions } from '../copy/options.ts'
import { lateJob } from '../copy/late-job.ts'
import { type ArtifactOptions, packArtifact } from './pack-artifact.ts'

/** What an artifact is made of, and how it is put. */
export interface PushArtifactOptions
  extends ArtifactOptions, Pick<CopyOptions, 'concurrency' | 'hash' | 'signal' | 'absent'> {
  /** Names to give it. None: it is found by its digest only, or as a referrer. */
  readonly tags?: readonly string[]
}

/**
 * Puts files as an artifact. Begins at once; `result` has the artifact's descriptor as `root`. What the target has already is not
 * sent. An archive or a layout is to be finished afterwards.
 *
 * @throws {ClientError} by `result`, and while events are read: `usage` for what makes no manifest
 */
export const pushArtifact = (target: Target, options: PushArtifactOptions): CopyJob =>
  lateJob(async () => {
    const { tags = [], concurrency, hash, signal, absent, ...parts } = options
    const common = { ...(hash === undefined ? {} : { hash }), ...(signal === undefined ? {} : { signal }) }
    const { source, descriptor } = await packArtifact(parts, common)
    return copy(
      { source, reference: descriptor.digest },
      { target, tags },
      {
        ...common,
        ...(concurrency === undefined ? {} : { concurrency }),
        ...(absent === undefined ? {} : { absent }),
      },
    )
  })

/**
 * Puts files as an artifact about a manifest that is there: a signature, an SBOM. It is found by `referrers(subject.digest)`.
 *
 * @throws {ClientError} by `result`, and while events are read
 */
export const attach = (target: Target, subject: Descriptor, options: Omit<PushArtifactOptions, 'subject'>): CopyJob =>
  pushArtifact(target, { ...options, subject })
