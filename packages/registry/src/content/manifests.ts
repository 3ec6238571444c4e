import {
  type Digest,
  digestAlgorithm,
  isNonDistributableLayer,
  type Manifest,
  manifestReferences,
  safeParseManifest,
} from '@stowage/oci'
import { LRUCache } from 'lru-cache'
import type { BlobStore } from '../blobs/blob-store.ts'
import { RegistryError } from '../errors.ts'
import type { FoundManifest, ManifestReference, ManifestRow, MetadataStore } from '../metadata/metadata-store.ts'
import { digestOf } from './digester.ts'
import { tagImmutable } from './immutable-tags.ts'
import { manifestFacts, maxConfigSize } from './manifest-facts.ts'
import { quotaExceeded } from './quotas.ts'
import { createReadBlob } from './read-blob.ts'
import { type Touch, untouched } from './touch.ts'
import type { RepositoryGrant } from './uploads.ts'

export interface Manifests {
  find(grant: RepositoryGrant, reference: ManifestReference): Promise<ManifestRow>
  /** The same for who asks before a push, and will not send what is there: without a tag it stays as if it came now. */
  findToKeep(grant: RepositoryGrant, reference: ManifestReference): Promise<ManifestRow>
  /** The bytes exactly as they were pushed. */
  read(grant: RepositoryGrant, manifest: ManifestRow): Promise<Uint8Array>
  put(
    grant: RepositoryGrant,
    put: ManifestPut,
  ): Promise<{ readonly digest: Digest; readonly subject: Digest | undefined }>
  removeTag(grant: RepositoryGrant, tag: string): Promise<void>
  /**
   * Removes the manifest with all its tags, if they are among `tags`: those that the caller may delete.
   *
   * @returns the tags that are not. Unless it is empty, nothing was removed.
   */
  remove(grant: RepositoryGrant, digest: Digest, tags: readonly string[]): Promise<readonly string[]>
}

export interface ManifestPut {
  readonly bytes: Uint8Array
  readonly contentType: string | undefined
  /** What the path said, when it was a digest. */
  readonly digest: Digest | undefined
  readonly tags: readonly string[]
}

export interface ManifestOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Accept manifests whose config or layers are not in the repository. */
  readonly allowMissingBlobs: boolean
  /** Accept indexes whose manifests are not in the repository. */
  readonly allowMissingManifests: boolean
  /** Bytes of manifests kept in memory. */
  readonly cacheSize: number
  /** Default: nothing has a time that is to be set anew. */
  readonly touch?: Touch
  readonly now: () => number
  /** Told once of a blob, a config, whose bytes are missing, all or some. */
  readonly onMissingBytes?: (digest: Digest, key: string) => void
  /** Told once of a manifest whose bytes in the database are not its own. */
  readonly onCorruptManifest?: (digest: Digest) => void
}

export const createManifests = (options: ManifestOptions): Manifests => {
  const { metadata, now, touch = untouched } = options
  const readBlob = createReadBlob(options)
  // By digest alone: the bytes of a digest never change. Who may see them is decided by `find`, every time.
  const cache = new LRUCache<string, Uint8Array>({
    maxSize: options.cacheSize,
    sizeCalculation: (bytes) => bytes.byteLength + 200,
  })

  const unknown = async (repository: string, detail: ManifestReference): Promise<RegistryError> =>
    (await metadata.repositoryExists(repository))
      ? new RegistryError(
          'manifest-unknown',
          'This repository has no such manifest. List its tags to see what it has.',
          {
            detail,
          },
        )
      : new RegistryError('name-unknown', 'This registry has no such repository. A first push creates it.', {
          detail: { name: repository },
        })

  const find = async (grant: RepositoryGrant, reference: ManifestReference): Promise<FoundManifest> => {
    const row = await metadata.findManifest(grant.repository, reference)
    if (row === undefined) throw await unknown(grant.repository, reference)
    return row
  }

  const findToKeep: Manifests['findToKeep'] = async (grant, reference) => {
    const row = await find(grant, reference)
    if (row.untaggedSince === null) return row
    // Before the answer, as for blobs.
    const touched = await touch(row.untaggedSince, async (at) =>
      metadata.upkeep.touchManifest(grant.repository, row.digest, at),
    )
    return touched ? find(grant, reference) : row
  }

  const read: Manifests['read'] = async (grant, manifest) => {
    const cached = cache.get(manifest.digest)
    if (cached !== undefined) return cached
    const { digest } = manifest
    const bytes = await metadata.readManifest(grant.repository, digest)
    if (bytes === undefined) throw await unknown(grant.repository, { digest })
    // Once for each time they come from the database, which vouches for nothing.
    if (digestOf(bytes, digestAlgorithm(digest)) !== digest) {
      const found = await metadata.upkeep.quarantineManifest(digest, now())
      if (found === 'quarantined') options.onCorruptManifest?.(digest)
      throw await unknown(grant.repository, { digest })
    }
    cache.set(digest, bytes)
    return bytes
  }

  const put: Manifests['put'] = async (grant, { bytes, contentType, digest: promised, tags }) => {
    const digest = digestOf(bytes, promised === undefined ? 'sha256' : digestAlgorithm(promised))
    if (promised !== undefined && digest !== promised) {
      throw new RegistryError(
        'digest-invalid',
        'The manifest does not have the digest that the URL names. Push it by its own.',
        {
          detail: { given: promised, received: digest },
        },
      )
    }
    const parsed = safeParseManifest(bytes, contentType)
    if (!parsed.ok) {
      const [first] = parsed.problems
      const where = first === undefined || first.path === '' ? '' : `${first.path}: `
      throw new RegistryError('manifest-invalid', `The manifest cannot be accepted. ${where}${first?.message ?? ''}`, {
        detail: parsed.problems.slice(0, 20),
      })
    }
    const manifest = parsed.value
    const needs = requirements(manifest, options)
    const facts = await manifestFacts(manifest, async (config) => {
      const row = await metadata.findBlob(grant.repository, config.digest)
      return row === undefined || row.size > maxConfigSize ? undefined : readBlob(grant.repository, row, 0, row.size)
    })
    const subject = manifest.subject?.digest
    const result = await metadata.putManifest(
      {
        repository: grant.repository,
        digest,
        mediaType: manifest.mediaType,
        bytes,
        tags,
        references: manifestReferences(manifest).map(({ descriptor, role }) => ({ digest: descriptor.digest, role })),
        ...needs,
        ...(subject === undefined ? {} : { subject }),
        facts,
        at: now(),
      },
      grant,
    )
    switch (result.outcome) {
      case 'stored':
        return { digest, subject }
      case 'missing':
        throw new RegistryError(
          'manifest-reference-unknown',
          'The manifest references content that is not in this repository. Push or mount it first, then push the manifest.',
          { detail: { blobs: result.blobs, manifests: result.manifests } },
        )
      case 'tag-exists':
        throw new RegistryError(
          'tag-exists',
          `The tag ${result.tag} exists and you may not move it, nor give what it names another media type. Push something else under another tag.`,
          {
            detail: { tag: result.tag },
          },
        )
      case 'tag-immutable':
        throw tagImmutable(result.tag, 'What it names stays as it is. Push under another tag.')
      case 'over-quota':
        throw quotaExceeded(result)
    }
  }

  const removeTag: Manifests['removeTag'] = async (grant, tag) => {
    const result = await metadata.deleteTag({ repository: grant.repository, tag, at: now() }, grant)
    if (result.outcome === 'unknown') throw await unknown(grant.repository, { tag })
    if (result.outcome === 'tag-immutable') throw tagImmutable(tag, 'It cannot be deleted.')
  }

  const remove: Manifests['remove'] = async (grant, digest, tags) => {
    const result = await metadata.deleteManifest({ repository: grant.repository, digest, tags, at: now() }, grant)
    switch (result.outcome) {
      case 'deleted':
        return []
      case 'tags-differ':
        return result.tags
      case 'unknown':
        throw await unknown(grant.repository, { digest })
      case 'tag-immutable':
        throw tagImmutable(result.tag, 'The manifest is part of what it names, so it stays.')
    }
  }

  return { find, findToKeep, read, put, removeTag, remove }
}

/** What must be in the repository before the manifest may be. A subject need not be there, nor a layer that may not be copied. */
const requirements = (
  manifest: Manifest,
  options: Pick<ManifestOptions, 'allowMissingBlobs' | 'allowMissingManifests'>,
): { requiredBlobs: Digest[]; requiredManifests: Digest[] } => {
  const requiredBlobs = new Set<Digest>()
  const requiredManifests = new Set<Digest>()
  for (const { descriptor, role } of manifestReferences(manifest)) {
    if (role === 'manifest') {
      if (!options.allowMissingManifests) requiredManifests.add(descriptor.digest)
    } else if (!options.allowMissingBlobs && !isNonDistributableLayer(descriptor.mediaType)) {
      requiredBlobs.add(descriptor.digest)
    }
  }
  return { requiredBlobs: [...requiredBlobs], requiredManifests: [...requiredManifests] }
}
