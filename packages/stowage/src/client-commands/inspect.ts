import { collect } from '@stowage/client'
import { defineCommand } from '../command-line/define.ts'
import { flag } from '../command-line/option-kinds.ts'
import { openImage, openReference, readConfig } from './open-image.ts'
import { parseJson } from './parse-json.ts'
import { platformOption } from './platform-option.ts'

export const inspect = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'an image in a registry, a layout or an archive' },
  about: 'Shows what an image is, in the form that skopeo inspect has: digest, tags, labels, environment, layers.',
  options: {
    raw: flag('--raw', 'print the manifest as it is'),
    config: flag('--config', 'print the config as it is'),
    noTags: flag('-n, --no-tags', 'do not list the tags of the repository'),
    platform: platformOption,
    noCredentials: flag('--no-creds', 'skopeo: show no credentials', { hidden: true }),
  },
  sides: 'one',
  examples: [
    ['stowage inspect alpine', 'as JSON'],
    ["stowage inspect --format '{{.Digest}}' docker://alpine", 'one field'],
    ['stowage inspect --raw alpine', 'the manifest'],
  ],
  async run({ args: [reference], options, connect, connectAs, keep, output, call }) {
    const { raw, config, noTags, platform, noCredentials } = options
    const client = await (noCredentials ? connectAs(() => undefined, reference) : connect(reference))
    if (raw && !config) return output.bytes([(await openReference(client, reference, platform, { keep, call })).bytes])
    const image = await openImage(client, reference, platform, { keep, call })
    const bytes = await readConfig(image, call)
    if (config && raw) return output.bytes([bytes])
    const facts = parseJson(bytes, `The config of ${reference}`)
    if (config) return output.result(facts, JSON.stringify(facts, undefined, 2))
    const root = await client.resolve(reference, call)
    const tags = noTags ? undefined : await collect(image.source.tags(call))
    const value = summary(image, (facts ?? {}) as ConfigFacts, { digest: root.digest, tags })
    await output.result(value, JSON.stringify(value, undefined, 2))
  },
})

/** What a config may say. Nothing of it is checked: it is shown as it is. */
interface ConfigFacts {
  readonly created?: unknown
  readonly docker_version?: unknown
  readonly architecture?: unknown
  readonly os?: unknown
  readonly config?: { readonly Labels?: unknown; readonly Env?: unknown }
}

const summary = (
  { source, manifest, descriptor }: Awaited<ReturnType<typeof openImage>>,
  { created, docker_version: dockerVersion, architecture, os, config }: ConfigFacts,
  { digest, tags }: { readonly digest: string; readonly tags: readonly string[] | undefined },
): object => {
  const layers = manifest.kind === 'image' ? manifest.layers : manifest.blobs
  return {
    Name: source.name,
    Digest: digest,
    ...(tags === undefined ? {} : { RepoTags: tags }),
    Created: created ?? null,
    DockerVersion: dockerVersion ?? '',
    Labels: config?.Labels ?? null,
    Architecture: architecture ?? '',
    Os: os ?? '',
    Layers: layers.map((layer) => layer.digest),
    LayersData: layers.map(({ mediaType, digest: of, size, annotations = null }) => ({
      MIMEType: mediaType,
      Digest: of,
      Size: size,
      Annotations: annotations,
    })),
    Env: config?.Env ?? null,
    ...(digest === descriptor.digest ? {} : { PlatformDigest: descriptor.digest }),
  }
}
