import { digestAlgorithm, isDigest } from '@stowage/oci'
import type { StoredContent, StoredManifest } from '../metadata/upkeep-store.ts'
import { compareFacts } from './compare-facts.ts'
import type { Examination } from './examine.ts'
import { type Finding, finding } from './finding.ts'
import { digestOf } from './scrub-manifests.ts'

const atOnce = 250

/** I2: the bytes of every manifest are its own. I3 and I9: what is kept beside them is what they say, and is here. */
export async function* examineManifests(examination: Examination): AsyncGenerator<Finding> {
  yield* examineContents(examination)
  yield* examineFacts(examination)
}

async function* examineContents({ metadata, signal, pace, count }: Examination): AsyncGenerator<Finding> {
  for (let last: StoredContent['digest'] | undefined; ;) {
    const page = await metadata.upkeep.listContents({ limit: atOnce, ...(last !== undefined && { last }) })
    if (page.length === 0) return
    for (const { digest, bytes, corrupt } of page) {
      signal?.throwIfAborted()
      last = digest
      count({ manifests: 1, bytes: bytes.byteLength })
      // Which is noted, and nobody gets it.
      if (!corrupt) yield* examineBytes(digest, bytes)
      await pace(bytes.byteLength, signal)
    }
  }
}

function* examineBytes(digest: StoredContent['digest'], bytes: Uint8Array): Generator<Finding> {
  if (!isDigest(digest)) {
    yield finding('manifest-digest', { subject: digest, message: 'What the bytes are kept under is not a digest.' })
    return
  }
  const found = digestOf(bytes, digest)
  if (found === digest) return
  const message = `The bytes of the manifest have the ${digestAlgorithm(digest)} digest ${found.slice(found.indexOf(':') + 1)}.`
  yield finding('manifest-digest', { subject: digest, message })
}

async function* examineFacts(examination: Examination): AsyncGenerator<Finding> {
  const { metadata } = examination
  for (let last: string | undefined; ;) {
    const names = await metadata.listRepositories({
      visible: { kind: 'all' },
      limit: atOnce,
      ...(last !== undefined && { last }),
    })
    for (const name of names) yield* examineRepository(examination, name)
    last = names.at(-1)
    if (names.length < atOnce) return
  }
}

async function* examineRepository(examination: Examination, repository: string): AsyncGenerator<Finding> {
  const { metadata, signal, allowMissingBlobs, pace } = examination
  for (let last: StoredManifest['digest'] | undefined; ;) {
    const page = await metadata.upkeep.listManifests({
      repository,
      limit: atOnce,
      ...(last !== undefined && { last }),
    })
    if (page.length === 0) return
    for (const manifest of page) {
      signal?.throwIfAborted()
      last = manifest.digest
      // What bytes that are not the manifest's say is nothing.
      if (
        !manifest.corrupt &&
        isDigest(manifest.digest) &&
        digestOf(manifest.bytes, manifest.digest) === manifest.digest
      ) {
        for (const found of compareFacts(manifest, { allowMissingBlobs })) {
          yield finding(found.kind, { repository, subject: manifest.digest, message: found.message })
        }
      }
      await pace(0, signal)
    }
  }
}
