import type { Read, Write } from './accounts-of.ts'
import { knownUploads, listManifests } from './operations/examined.ts'
import { inspect } from './operations/inspect.ts'
import { knownKeys } from './operations/known-keys.ts'
import { listRemovedTags } from './operations/removed-tags.ts'
import { listBlobs, listContents, storedBlob } from './operations/scrub.ts'
import { listUntaggedManifests } from './operations/untagged-manifests.ts'
import { listUnusedBlobs } from './operations/unused-blobs.ts'
import { readState } from './operations/upkeep-state.ts'
import type { UpkeepStore } from './upkeep-store.ts'

/** The upkeep of a store that runs operations. */
export const upkeepOf = (write: Write, read: Read): UpkeepStore => ({
  listUnusedBlobs: (page) => read(listUnusedBlobs(page)),
  collectBlobs: (target) => write('collectBlobs', target),
  touchBlob: (repository, digest, at) => write('touchBlob', repository, digest, at),
  touchManifest: (repository, digest, at) => write('touchManifest', repository, digest, at),
  knownKeys: (keys) => read(knownKeys(keys)),

  removeTags: (target) => write('removeTags', target),
  listRemovedTags: (page) => read(listRemovedTags(page)),
  restoreTag: (target) => write('restoreTag', target),
  forgetRemovedTags: (before, limit) => write('forgetRemovedTags', before, limit),
  listUntaggedManifests: (page) => read(listUntaggedManifests(page)),
  collectManifests: (target) => write('collectManifests', target),

  listBlobs: (page) => read(listBlobs(page)),
  storedBlob: (digest) => read(storedBlob(digest)),
  quarantineBlob: (target) => write('quarantineBlob', target),
  verifiedBlobs: (blobs, at) => write('verifiedBlobs', blobs, at),
  listContents: (page) => read(listContents(page)),
  quarantineManifest: (digest, at) => write('quarantineManifest', digest, at),

  readState: (name) => read(readState(name)),
  writeState: (name, state) => write('writeState', name, state),
  listManifests: (page) => read(listManifests(page)),
  knownUploads: (ids) => read(knownUploads(ids)),
  inspect: (limit) => read(inspect(limit)),
})
