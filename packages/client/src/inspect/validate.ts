import type { Descriptor, HashFactory, Platform } from '@stowage/oci'
import { inParallel } from '../content/in-parallel.ts'
import type { CallOptions, Source } from '../content/ports.ts'
import { defaultHash } from '../hash.ts'
import { checkBlob, codeOf, embeddedProblem } from './check-blob.ts'
import { checkConfig, isImage, type WalkedImage } from './check-config.ts'
import type { Finding } from './finding.ts'
import { createParts, within } from './parts.ts'
import { walkManifests, type WalkedManifest } from './walk-manifests.ts'

/** How closely an image is looked at. */
export interface ValidateOptions extends CallOptions {
  /** Read manifests and configs, and of everything else see only that it is there. Default false: every byte is read. */
  readonly fast?: boolean
  /** Only these platforms of an index. */
  readonly platforms?: readonly Platform[]
  /** Blobs under way at once. Default 4. */
  readonly concurrency?: number
  readonly hash?: HashFactory
}

/**
 * Looks at everything that an image, an index or an artifact consists of: whether each manifest and config is well-formed, each
 * blob is there with the bytes of its digest, and each layer has inside what the config says. Tells of each part, good or bad.
 *
 * @throws {ClientError} `not-found` when nothing has this name; what has nothing to do with content: `network`, `denied` …
 */
export async function* validate(
  source: Source,
  reference: string,
  options: ValidateOptions = {},
): AsyncGenerator<Finding, void, void> {
  const { fast = false, platforms = [], concurrency: atOnce = 4, hash = defaultHash, signal, onRetry } = options
  const call: CallOptions = {
    ...(signal === undefined ? {} : { signal }),
    ...(onRetry === undefined ? {} : { onRetry }),
  }
  const images: WalkedImage[] = []
  const parts = createParts()
  const root = await source.resolve(reference, call)
  for await (const walked of walkManifests(source, root, { ...call, platforms })) {
    yield ofManifest(walked, hash)
    const { manifest, where } = walked
    if (manifest?.subject !== undefined) yield await ofSubject(source, manifest.subject, within(where, 'subject'), call)
    if (manifest?.kind === 'image') images.push({ ...walked, manifest })
    if (manifest?.kind !== 'artifact') continue
    for (const [at, blob] of manifest.blobs.entries()) parts.add('blob', blob, within(where, 'blobs', at))
  }

  // Configs first: they say what is inside the layers.
  const configs = inParallel(images, { atOnce, signal }, async (image, inner) => {
    const checked = isImage(image.manifest) ? await checkConfig(source, image, { ...call, signal: inner }) : undefined
    return { image, findings: checked?.findings ?? [], diffIds: checked?.diffIds }
  })
  for await (const { image, findings, diffIds } of configs) {
    yield* findings
    const { manifest, where } = image
    const ofImage = isImage(manifest)
    if (!ofImage) parts.add('config', manifest.config, within(where, 'config'))
    for (const [at, layer] of manifest.layers.entries()) {
      parts.add(ofImage ? 'layer' : 'blob', layer, within(where, 'layers', at), diffIds?.[at])
    }
  }

  const blobs = inParallel(parts.all(), { atOnce, signal }, async (part, inner) =>
    checkBlob(source, part, { fast, hash, signal: inner }),
  )
  for await (const findings of blobs) yield* findings
}

const ofManifest = ({ descriptor, where, error }: WalkedManifest, hash: HashFactory): Finding => {
  const found = { role: 'manifest', descriptor, where } as const
  if (error !== undefined) return { severity: 'problem', code: codeOf(error), message: error.message, ...found }
  const embedded = embeddedProblem(descriptor, hash)
  return embedded === undefined ? { severity: 'ok', ...found } : { ...embedded, ...found }
}

/** "A registry MUST accept an otherwise valid manifest with a `subject` field that references a manifest that does not exist" */
const ofSubject = async (
  source: Source,
  descriptor: Descriptor,
  where: string,
  call: CallOptions,
): Promise<Finding> => {
  const found = { role: 'subject', descriptor, where } as const
  if (await source.hasManifest(descriptor, call)) return { severity: 'ok', ...found }
  return { severity: 'note', code: 'missing', message: 'is not there: nothing will find what refers to it', ...found }
}
