import { type Digest, digestEncoded, digestOf } from '@stowage/oci'
import { defaultHash } from '../hash.ts'
import { type SampleEntry, sampleTar } from './sample-tar.ts'

const hash = (bytes: string | Uint8Array): Digest => digestOf(Buffer.from(bytes), defaultHash)

/** What `docker save` wrote before version 25, with links for layers that images share. */
export const legacyDockerArchive = (): {
  readonly entries: SampleEntry[]
  readonly layers: readonly Buffer[]
  readonly configs: string[]
} => {
  const layers = [sampleTar([{ name: 'bin', type: '5' }]), sampleTar([{ name: 'etc', type: '5' }])]
  const configs = [layers, layers.slice(0, 1)].map((own) =>
    JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: own.map(hash) } }),
  )
  const configNames = configs.map((config) => `${digestEncoded(hash(config))}.json`)
  const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(64))
  const manifest = [
    { Config: configNames[0], RepoTags: ['acme/app:v1', 'acme/app:v2'], Layers: [`${a}/layer.tar`, `${b}/layer.tar`] },
    { Config: configNames[1], RepoTags: null, Layers: [`${c}/layer.tar`] },
  ]
  return {
    layers,
    configs,
    entries: [
      { name: `${a}/`, type: '5' },
      { name: `${a}/VERSION`, content: '1.0' },
      { name: `${a}/json`, content: '{}' },
      { name: `${a}/layer.tar`, content: layers[0] ?? '' },
      { name: `${b}/layer.tar`, content: layers[1] ?? '' },
      { name: `${c}/layer.tar`, type: '2', linkname: `../${a}/layer.tar` },
      ...configs.map((content, at) => ({ name: configNames[at] ?? '', content })),
      { name: 'manifest.json', content: JSON.stringify(manifest) },
      { name: 'repositories', content: '{"acme/app":{"v1":"x"}}' },
    ],
  }
}
