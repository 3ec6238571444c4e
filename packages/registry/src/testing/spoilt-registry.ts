import { mkdir, truncate, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sample } from '@stowage/testkit'
import { expect } from 'vitest'
import type { FindingKind } from '../upkeep/finding.ts'
import { registryOnDisk, type RegistryOnDisk } from './registry-on-disk.ts'

const hex = 'ab'.repeat(32)
export const nowhere = `sha256:${hex}`
const index = 'application/vnd.oci.image.index.v1+json'

/** An image with a tag, its index, and a referrer of it; and somebody who is told of events. */
export const filled = async (): Promise<RegistryOnDisk> => {
  const registry = await registryOnDisk({
    hooks: { receivers: { broken: async () => Promise.reject(new Error('not now')) } },
  })
  const { door } = registry
  await sample.pushImage(door, 'a', 'latest', image)
  const put = async (reference: string, body: string, type: string): Promise<void> => {
    const answer = await door.send('PUT', `/v2/a/manifests/${reference}`, { body, headers: { 'content-type': type } })
    expect([answer.status, answer.text()]).toEqual([201, ''])
  }
  const descriptor = { mediaType: image.mediaType, digest: image.digest, size: image.manifest.byteLength }
  await put('all', JSON.stringify({ schemaVersion: 2, mediaType: index, manifests: [descriptor] }), index)
  await put(
    'signature',
    JSON.stringify({
      schemaVersion: 2,
      mediaType: image.mediaType,
      artifactType: 'application/vnd.example.signature',
      config: { mediaType: 'a/b', digest: image.config.digest, size: image.config.bytes.byteLength },
      layers: [],
      subject: descriptor,
    }),
    image.mediaType,
  )
  return registry
}

export const image = sample.image('examined')
const stranger = async (registry: RegistryOnDisk, folder: string, name: string): Promise<void> => {
  const path = join(registry.directory, folder, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, '12345')
}

interface Case {
  readonly spoil: (registry: RegistryOnDisk) => void | Promise<void>
  /** Kinds that come with it. */
  readonly also?: readonly FindingKind[]
  readonly says: string | RegExp
}

/** How to break a store by hand so that it is found. */
export const cases: Record<Exclude<FindingKind, 'blob-unreadable' | 'check-failed' | 'database-damaged'>, Case> = {
  'row-orphaned': {
    spoil: ({ edit }) => {
      edit(
        `insert into tokens (id, kind, user_id, label, secret_hash, created_at) values ('x', 'personal', 'gone', '', '', 0)`,
      )
    },
    says: 'A row of the table tokens belongs to one of users that is not there',
  },
  'blob-missing': { spoil: async ({ fileOf }) => unlink(fileOf(image.layer.digest)), says: 'not there' },
  'blob-size': { spoil: async ({ fileOf }) => truncate(fileOf(image.layer.digest), 3), says: 'and 3 are there' },
  'blob-digest': {
    spoil: async ({ fileOf }) => writeFile(fileOf(image.layer.digest), 'x'.repeat(image.layer.bytes.byteLength)),
    says: 'The bytes have the digest sha256:',
  },
  'key-shared': {
    spoil: ({ edit }) => {
      edit('update blobs set key = (select key from blobs where digest = ?)', image.layer.digest)
    },
    also: ['blob-size', 'orphan-files'],
    says: 'Two blobs',
  },
  'garbage-in-use': {
    spoil: ({ edit }) => {
      edit('insert into blob_garbage (key, since) select key, 0 from blobs where digest = ?', image.layer.digest)
    },
    also: ['garbage-waiting'],
    says: 'they will be deleted',
  },
  'content-missing': {
    spoil: ({ edit }) => edit('delete from manifest_contents where digest = ?', image.digest),
    says: 'has no bytes',
  },
  'manifest-digest': {
    spoil: ({ edit }) => edit(`update manifest_contents set bytes = cast('{}' as blob) where digest = ?`, image.digest),
    says: 'have the sha256 digest 44136fa355b3',
  },
  'blob-quarantined': {
    spoil: ({ edit }) => edit('update blobs set corrupt_since = 1000 where digest = ?', image.layer.digest),
    says: 'since 1970-01-01T00:00:01.000Z',
  },
  'manifest-quarantined': {
    spoil: ({ edit }) => edit('update manifests set corrupt_since = 1000 where digest = ?', image.digest),
    says: 'since 1970-01-01T00:00:01.000Z',
  },
  'reference-missing': {
    spoil: ({ edit }) => {
      edit('delete from repository_blobs where digest = ?', image.layer.digest)
    },
    also: ['blob-unlinked', 'usage-wrong'],
    says: `needs ${image.layer.digest} (layer)`,
  },
  'child-missing': {
    spoil: async ({ door }) => {
      await door.send('DELETE', '/v2/a/manifests/signature')
      await door.send('DELETE', `/v2/a/manifests/${image.digest}`)
    },
    says: `lists ${image.digest}`,
  },
  'tag-dangling': {
    spoil: ({ edit }) => edit(`update tags set digest = ? where name = 'signature'`, nowhere),
    also: ['untagged-wrong'],
    says: nowhere,
  },
  'link-dangling': {
    spoil: ({ edit }) => edit('delete from blobs where digest = ?', image.layer.digest),
    also: ['usage-wrong', 'orphan-files'],
    says: 'no row',
  },
  'usage-wrong': {
    spoil: ({ edit }) => edit('update repositories set stored_bytes = stored_bytes + 1'),
    says: /^The counter says \d+ bytes; the blobs and manifests of the repository have \d+\.$/,
  },
  'manifest-facts': {
    spoil: ({ edit }) => edit(`update manifests set subject = ? where subject is not null`, nowhere),
    says: `The subject is kept as "${nowhere}", and its bytes say "${image.digest}".`,
  },
  'references-dangling': {
    spoil: ({ edit }) => {
      edit(
        `insert into manifest_references (repository_id, manifest_digest, digest, role) select id, ?, ?, 'layer' from repositories`,
        nowhere,
        image.layer.digest,
      )
    },
    says: `A reference to ${image.layer.digest}`,
  },
  'manifest-unparsable': {
    spoil: ({ edit }) => edit(`update manifests set media_type = 'application/x' where digest = ?`, image.digest),
    says: 'which is no manifest',
  },
  'orphan-files': {
    spoil: async (registry) => stranger(registry, `blobs/sha256/${hex.slice(0, 2)}`, `${hex}.${'0'.repeat(32)}`),
    says: /^1 file with 5 bytes that no row points to; the oldest is \d+ seconds old\.$/,
  },
  'orphan-uploads': {
    spoil: async (registry) => stranger(registry, 'uploads', '01234567-89ab-cdef-0123-456789abcdef'),
    says: /^1 upload that no row points to/,
  },
  'garbage-waiting': {
    spoil: async ({ door }) => void (await sample.pushBlob(door, 'b', image.layer.bytes)),
    says: `1 key with ${image.layer.bytes.byteLength} bytes`,
  },
  'blob-unlinked': {
    spoil: ({ edit }) => edit('insert into blobs (digest, size, key, created_at) values (?, 5, ?, 0)', nowhere, 'x'),
    also: ['blob-missing'],
    says: 'nothing will ever delete it: 5 bytes',
  },
  'content-unused': {
    spoil: ({ edit }) =>
      edit(
        `insert into manifest_contents (digest, bytes) values ('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', cast('{}' as blob))`,
      ),
    says: 'No repository has a manifest of these bytes',
  },
  'unused-wrong': {
    spoil: ({ edit }) => edit('update repository_blobs set unused_since = 5 where digest = ?', image.layer.digest),
    says: 'A manifest uses the blob',
  },
  'untagged-wrong': {
    spoil: ({ edit }) => edit('update manifests set untagged_since = 5 where digest = ?', image.digest),
    says: 'A tag names the manifest',
  },
  'event-unreadable': {
    spoil: ({ edit }) => edit(`update events set payload_json = '{"type":"tag.sett"}' where sequence = 2`),
    says: 'not what this program writes',
  },
  'receiver-ahead': {
    spoil: ({ edit }) => edit('update event_receivers set acknowledged = 1000'),
    says: 'event 1000',
  },
}
