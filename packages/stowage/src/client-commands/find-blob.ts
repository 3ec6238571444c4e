import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type CallOptions, type Client, isClientError, type Repository, type Source } from '@stowage/client'
import { type Descriptor, type Digest, digestAlgorithm, digestEncoded, isDigest, parseManifest } from '@stowage/oci'
import { locationOf } from '../command-line/places.ts'
import { StowageError } from '../failure.ts'

/** A blob where it is. */
export interface FoundBlob {
  readonly source: Source
  /** Its repository, if it is in a registry. */
  readonly repository: Repository | undefined
  readonly descriptor: Descriptor
}

/** The digest of `…@sha256:…`. @throws {StowageError} `usage` */
export const blobDigest = (reference: string): Digest => {
  const { reference: digest } = locationOf(reference)
  if (digest !== undefined && isDigest(digest)) return digest
  throw new StowageError('usage', `A blob is named by its digest: ${reference.replace(/:[^:/]*$/, '')}@sha256:….`)
}

/** @throws {ClientError | StowageError} `not-found` */
export const findBlob = async (client: Client, reference: string, call: CallOptions): Promise<FoundBlob> => {
  const digest = blobDigest(reference)
  const location = locationOf(reference)
  if (location.scheme === 'registry') {
    const repository = client.repository(reference)
    return { source: repository, repository, descriptor: await repository.describeBlob(digest, call) }
  }
  const { source } = await client.source(reference)
  const descriptor =
    (await searchManifests(source, digest, call)) ??
    (location.scheme === 'ocidir' ? await statBlob(location.path, digest) : undefined)
  if (descriptor !== undefined) return { source, repository: undefined, descriptor }
  await source[Symbol.asyncDispose]()
  throw new StowageError('not-found', `${source.name} has no blob ${digest}.`)
}

/** On this machine nobody tells how long a blob is, but the manifests that refer to it. */
const searchManifests = async (source: Source, digest: Digest, call: CallOptions): Promise<Descriptor | undefined> => {
  const seen = new Set<Digest>()
  const search = async (manifest: Descriptor): Promise<Descriptor | undefined> => {
    if (seen.has(manifest.digest)) return undefined
    seen.add(manifest.digest)
    const parsed = parseManifest(await source.getManifest(manifest, call), manifest.mediaType)
    if (parsed.kind === 'index') {
      for (const child of parsed.manifests) {
        // An index may have children that were not copied.
        const found = await search(child).catch(ignoreMissing)
        if (found !== undefined) return found
      }
      return undefined
    }
    const blobs = parsed.kind === 'artifact' ? parsed.blobs : [parsed.config, ...parsed.layers]
    return blobs.find((blob) => blob.digest === digest)
  }
  for await (const name of source.tags(call)) {
    const found = await search(await source.resolve(name, call))
    if (found !== undefined) return found
  }
  const unnamed = await source.resolve('', call).catch(ignoreMissing)
  return unnamed === undefined ? undefined : search(unnamed)
}

const ignoreMissing = (error: unknown): undefined => {
  // `usage`: an empty name that means several things.
  if (isClientError(error, 'not-found') || isClientError(error, 'usage')) return undefined
  throw error
}

/** image-spec, "OCI Image Layout": `blobs/<alg>/<encoded>`. */
const statBlob = async (path: string, digest: Digest): Promise<Descriptor | undefined> => {
  try {
    const { size } = await stat(join(path, 'blobs', digestAlgorithm(digest), digestEncoded(digest)))
    return { mediaType: 'application/octet-stream', digest, size }
  } catch {
    return undefined
  }
}
