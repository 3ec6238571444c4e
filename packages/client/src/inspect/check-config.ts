import { type Digest, type ImageConfig, type ImageManifest, mediaTypes, parseImageConfig } from '@stowage/oci'
import type { CallOptions, Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { describePlatform } from '../platform.ts'
import { codeOf } from './check-blob.ts'
import type { Finding } from './finding.ts'
import { within } from './parts.ts'
import { isOfContent, type WalkedNode } from './walk-manifests.ts'

/** An image manifest of a tree. */
export interface WalkedImage extends WalkedNode {
  readonly manifest: ImageManifest
}

/** What came of looking at the config of an image. */
export interface ConfigChecked {
  readonly image: WalkedImage
  readonly findings: readonly Finding[]
  /** Undefined when the config could not be read, or says nothing of layers. */
  readonly diffIds: readonly Digest[] | undefined
}

/** Bytes of a config that are read. */
const limit = 8 * 1024 * 1024

const imageConfigs: ReadonlySet<string> = new Set([mediaTypes.ociImageConfig, mediaTypes.dockerImageConfig])

/** Whether a manifest is that of an image: only then is its config what the image spec says. */
export const isImage = ({ config, artifactType }: ImageManifest): boolean =>
  artifactType === undefined && imageConfigs.has(config.mediaType)

/** Reads the config of an image, and holds it against the manifest. @throws {ClientError} what has nothing to do with the content */
export const checkConfig = async (source: Source, image: WalkedImage, options: CallOptions): Promise<ConfigChecked> => {
  const { manifest, where: above } = image
  const descriptor = manifest.config
  const found = { role: 'config', descriptor, where: within(above, 'config') } as const
  let config: ImageConfig
  try {
    const bytes = await readAll(source.getBlob(descriptor, options), limit, `${source.name}@${descriptor.digest}`)
    config = parseImageConfig(bytes)
  } catch (error) {
    if (!isOfContent(error)) throw error
    const problem = { severity: 'problem', code: codeOf(error), message: error.message, ...found } as const
    return { image, findings: [problem], diffIds: undefined }
  }
  const diffIds = config.rootfs.diff_ids
  const findings: Finding[] = []
  if (diffIds.length !== manifest.layers.length) {
    const message = `has ${diffIds.length} diff_ids, and the manifest ${manifest.layers.length} layers`
    findings.push({ severity: 'problem', code: 'inconsistent', message, ...found })
  }
  const { platform } = image
  if (platform !== undefined && (platform.os !== config.os || platform.architecture !== config.architecture)) {
    const message = `is for ${describePlatform(config)}, and the index says ${describePlatform(platform)}`
    findings.push({ severity: 'note', code: 'inconsistent', message, ...found })
  }
  return { image, findings: findings.length === 0 ? [{ severity: 'ok', ...found }] : findings, diffIds }
}
