import { createHash } from 'node:crypto'
import { type Digest, parseDigest } from '@stowage/oci'
import type {
  DeleteManifestResult,
  Grant,
  MetadataStore,
  PutManifest,
  PutManifestResult,
  RegistryEvent,
  RepositoryFilter,
  UploadRow,
} from '@stowage/registry/metadata'
import { expect } from 'vitest'

export type StoreUnderTest = () => MetadataStore

/** Digests in the order of their numbers. */
export const digest = (number: number): Digest => parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`)

export const everything: RepositoryFilter = { kind: 'all' }

export const only = (...globs: string[]): RepositoryFilter => ({ kind: 'any-of', globs })

export const push: Grant = { actor: 'alice', action: 'push', repository: undefined, overwriteTags: true }

/** May create tags and not move them. */
export const createOnly: Grant = { ...push, actor: 'carol', overwriteTags: false }

export const deletion: Grant = { ...push, actor: 'dora', action: 'delete' }

/** The time of everything that has no reason to be at another. */
export const now = 1_700_000_000_000

/** A manifest whose bytes, and so its digest, are those of the text. */
export const manifest = (repository: string, text: string, more: Partial<PutManifest> = {}): PutManifest => {
  const bytes = new TextEncoder().encode(text)
  return {
    repository,
    digest: parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    bytes,
    tags: [],
    references: [],
    requiredBlobs: [],
    requiredManifests: [],
    facts: { kind: 'image', contentSize: 0, platforms: [], annotations: {} },
    at: now,
    ...more,
  }
}

export const put = async (store: MetadataStore, wanted: PutManifest, grant = push): Promise<PutManifestResult> =>
  store.putManifest(wanted, grant)

/** Puts a manifest with these tags and gives its digest. */
export const tagged = async (
  store: MetadataStore,
  repository: string,
  tags: readonly string[],
  text = `${repository}:${tags.join()}`,
): Promise<Digest> => {
  const wanted = manifest(repository, text, { tags })
  expect(await put(store, wanted)).toMatchObject({ outcome: 'stored' })
  return wanted.digest
}

/** Makes the blob one of the repository, as bytes that came in a single POST. */
export const link = async (store: MetadataStore, repository: string, blob: Digest, key: string, size = 7) =>
  store.finishUpload({ repository, digest: blob, size, key, at: now }, push)

export const upload = (repository: string, id: string, more: Partial<UploadRow> = {}): UploadRow => ({
  id,
  repository,
  actor: 'alice',
  startedAt: now,
  touchedAt: now,
  ...more,
})

export const unlink = async (store: MetadataStore, repository: string, blob: Digest, evenIfUsed = false) =>
  store.unlinkBlob({ repository, digest: blob, at: now, evenIfUsed }, deletion)

/** Removes the manifest with the tags it has, as one who may delete each, or only if it has no others than `tags`. */
export const remove = async (
  store: MetadataStore,
  repository: string,
  target: Digest,
  tags?: readonly string[],
): Promise<DeleteManifestResult> =>
  store.deleteManifest(
    { repository, digest: target, tags: tags ?? (await store.listTagsOf(repository, target)), at: now },
    deletion,
  )

export const garbageKeys = async (store: MetadataStore): Promise<string[]> =>
  (await store.listGarbage({ limit: 1000 })).map((row) => row.key).toSorted()

/** What the outbox has for the receiver, without what differs from run to run. */
export const changes = async (store: MetadataStore, receiver: string) =>
  (await store.readEvents(receiver, 1000)).map(
    ({ sequence: _sequence, id: _id, at: _at, actor: _actor, ...change }) => change,
  )

export const sequences = (events: readonly RegistryEvent[]): number[] => events.map((event) => event.sequence)

/** All pages, read with this limit. */
export const pages = async <Item>(
  read: (page: { last?: string; limit: number }) => Promise<Item[] | undefined>,
  limit: number,
  nameOf: (item: Item) => string,
): Promise<Item[]> => {
  const found: Item[] = []
  for (;;) {
    const last = found.at(-1)
    // Each page begins where the one before ended.
    const page = (await read({ limit, ...(last !== undefined && { last: nameOf(last) }) })) ?? []
    expect(page.length).toBeLessThanOrEqual(limit)
    found.push(...page)
    if (page.length < limit) return found
  }
}

/** For a race: runs it this often, each time in a place of its own. */
export const rounds = async (count: number, race: (place: string, round: number) => Promise<void>): Promise<void> => {
  for (let round = 0; round < count; round += 1) {
    // What races is inside.
    await race(`race/${round}`, round)
  }
}
