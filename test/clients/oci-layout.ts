/**
 * Writes images as OCI image layouts, by hand and without network: each layer is a tarball made by `tar`, compressed by
 * gzip, described by a config and a manifest; several platforms hang on one index. Bytes are the same in every run.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip, gzipSync } from 'node:zlib'
import { findProgram, run } from './command.ts'
import { sha256 } from './generated-data.ts'

/** Streams of a gibibyte go in pieces of this size, in bytes. */
const largeChunk = 1 << 20

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Platform {
  readonly os: string
  readonly architecture: string
}

/** A layer blob that is in the layout, and the digest of the tarball inside it. */
export interface Layer {
  readonly descriptor: Descriptor
  readonly diffId: string
}

/** The platform an image must have so that the tools of this machine take it without being told. */
export const hostPlatform: Platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch }
export const foreignPlatform: Platform = {
  os: 'linux',
  architecture: hostPlatform.architecture === 'amd64' ? 'arm64' : 'amd64',
}

export class OciLayout {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  /** An image of as many layers as `files` has entries, each holding one file. */
  async writeImage(platform: Platform, files: Readonly<Record<string, Uint8Array | string>>): Promise<Descriptor> {
    const layers: Layer[] = []
    for (const [name, content] of Object.entries(files)) layers.push(await this.writeLayer(name, content))
    return this.writeManifest(platform, layers)
  }

  async writeManifest(platform: Platform, layers: readonly Layer[]): Promise<Descriptor> {
    const config = await this.writeJson(mediaTypes.config, {
      created: '2026-01-01T00:00:00Z',
      ...platform,
      config: { Cmd: ['/hello'], Labels: { 'org.example.client': 'stowage' } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: 'tar' })),
    })
    const manifest = await this.writeJson(mediaTypes.manifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config,
      layers: layers.map(({ descriptor }) => descriptor),
    })
    return { ...manifest, platform }
  }

  async writeIndex(manifests: readonly Descriptor[]): Promise<Descriptor> {
    return this.writeJson(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests })
  }

  /** Writes `oci-layout` and `index.json`: what the tools find under which name. */
  async finish(tags: Readonly<Record<string, Descriptor>>): Promise<void> {
    const manifests = Object.entries(tags).map(([tag, descriptor]) => ({
      ...descriptor,
      annotations: { 'org.opencontainers.image.ref.name': tag },
    }))
    const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests }
    await writeFile(join(this.directory, 'index.json'), JSON.stringify(index))
    await writeFile(join(this.directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  }

  async writeLayer(name: string, content: Uint8Array | string): Promise<Layer> {
    const source = join(this.directory, 'source', name)
    await mkdir(join(source, '..'), { recursive: true })
    await writeFile(source, content)
    const tarball = await this.#tar(name)
    const bytes = await readFile(tarball)
    return { descriptor: await this.writeBlob(mediaTypes.layer, gzipSync(bytes)), diffId: sha256(bytes) }
  }

  /** A layer with one large file; stored by gzip and not compressed, so that its blob is as large as the file. */
  async writeLargeLayer(name: string, writeFileTo: (path: string) => Promise<void>): Promise<Layer> {
    const source = join(this.directory, 'source', name)
    await mkdir(join(source, '..'), { recursive: true })
    await mkdir(this.#blobs, { recursive: true })
    await writeFileTo(source)
    const target = join(this.directory, 'source', 'compressed')
    const tar = spawn(findProgram('tar'), this.#tarArguments(name, '-'), { stdio: ['ignore', 'pipe', 'inherit'] })
    const inside = createHash('sha256')
    const outside = createHash('sha256')
    let size = 0
    await pipeline(
      tar.stdout,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          inside.update(chunk)
          yield chunk
        }
      },
      createGzip({ level: 0, chunkSize: largeChunk }),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          outside.update(chunk)
          size += chunk.length
          yield chunk
        }
      },
      createWriteStream(target),
    )
    await rm(source)
    const digest = `sha256:${outside.digest('hex')}`
    await rename(target, this.#blobPath(digest))
    return { descriptor: { mediaType: mediaTypes.layer, digest, size }, diffId: `sha256:${inside.digest('hex')}` }
  }

  async writeBlob(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const digest = sha256(bytes)
    await mkdir(this.#blobs, { recursive: true })
    await writeFile(this.#blobPath(digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }

  writeJson(mediaType: string, value: unknown): Promise<Descriptor> {
    return this.writeBlob(mediaType, Buffer.from(JSON.stringify(value)))
  }

  get #blobs(): string {
    return join(this.directory, 'blobs', 'sha256')
  }

  #blobPath(digest: string): string {
    return join(this.#blobs, digest.replace('sha256:', ''))
  }

  async #tar(name: string): Promise<string> {
    const tarball = join(this.directory, 'source', `${name.replaceAll('/', '-')}.tar`)
    await run(findProgram('tar'), this.#tarArguments(name, tarball))
    return tarball
  }

  /** For a tarball with nothing of this machine in it: no owner, no time. */
  #tarArguments(name: string, tarball: string): readonly string[] {
    const reproducible = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--sort=name', '--format=gnu']
    return [...reproducible, '-C', join(this.directory, 'source'), '-cf', tarball, '--', name]
  }
}

export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: largeChunk }), hash)
  return `sha256:${hash.digest('hex')}`
}

export interface LayoutIndex {
  readonly manifests: readonly Descriptor[]
}

/** The descriptors under a layout's `index.json`, for instance of one that a tool has written. */
export async function readLayoutIndex(directory: string): Promise<readonly Descriptor[]> {
  const index: LayoutIndex = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8'))
  return index.manifests
}
