import { digestOf, pushBlob, pushManifest } from './push.ts'

/** An image as a test pushes it, every byte made from its name. */
export interface SampleImage {
  readonly manifest: string
  readonly digest: string
  readonly config: string
  readonly configDigest: string
  readonly layer: string
  readonly layerDigest: string
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'

const described = (mediaType: string, content: string): object => ({
  mediaType,
  digest: digestOf(content),
  size: Buffer.byteLength(content),
})

export const sampleImage = (name: string, architecture = 'amd64'): SampleImage => {
  const config = JSON.stringify({
    created: '2026-01-02T03:04:05Z',
    architecture,
    os: 'linux',
    config: { Env: [`NAME=${name}`], Labels: { name } },
    rootfs: { type: 'layers', diff_ids: [digestOf(`layer of ${name}`)] },
  })
  const layer = `layer of ${name}`
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: described('application/vnd.oci.image.config.v1+json', config),
    layers: [described('application/vnd.oci.image.layer.v1.tar', layer)],
  })
  const digests = { digest: digestOf(manifest), configDigest: digestOf(config), layerDigest: digestOf(layer) }
  return { manifest, config, layer, ...digests }
}

/** Pushes an image under its tags. @param url of the registry */
export const pushImage = async (
  url: string,
  repository: string,
  image: SampleImage,
  ...tags: readonly string[]
): Promise<void> => {
  for (const content of [image.config, image.layer]) await expectOk(pushBlob(url, repository, content))
  for (const tag of tags.length === 0 ? [image.digest] : tags) {
    await expectOk(pushManifest(url, repository, tag, image.manifest))
  }
}

/** An index of images that are there already. */
export const sampleIndex = (images: Readonly<Record<string, SampleImage>>): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: Object.entries(images).map(([platform, { manifest, digest }]) => {
      const [os, architecture, variant] = platform.split('/')
      return {
        mediaType: manifestType,
        digest,
        size: Buffer.byteLength(manifest),
        platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
      }
    }),
  })

const expectOk = async (answer: Promise<Response>): Promise<void> => {
  const { ok, status } = await answer
  if (!ok) throw new Error(`a push answered ${status}`)
}
