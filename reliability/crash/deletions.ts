import { tags, type Worker, write } from './worker.ts'

export const deleteManifest = async (worker: Worker, repository: string): Promise<void> => {
  const { client, random, images } = worker
  const known = images.get(repository)
  if (known === undefined || known.size === 0) return
  // The oldest go first, with some that are new and perhaps being pulled.
  const digests = [...known.keys()]
  const digest = random.next() < 0.5 ? digests[0] : random.pick(digests)
  if (digest === undefined) return
  known.delete(digest)
  const path = `/v2/${repository}/manifests/${digest}`
  await write(worker, { kind: 'delete-manifest', repository, digest }, async () => client.send('DELETE', path), 202)
}

export const deleteTag = async (worker: Worker, repository: string): Promise<void> => {
  const { client, random, abilities } = worker
  if (!abilities.deleteTags) return
  const tag = random.pick(tags)
  const path = `/v2/${repository}/manifests/${tag}`
  await write(worker, { kind: 'delete-tag', repository, tag }, async () => client.send('DELETE', path), 202)
}

export const deleteBlob = async (worker: Worker, repository: string): Promise<void> => {
  const { client, random, abilities, layers, loose } = worker
  const layer = abilities.keepsUsedBlobs && random.next() < 0.5 ? layers.shared(random) : undefined
  const target = layer === undefined ? loose.shift() : { repository, digest: layer.digest }
  if (target === undefined) return
  const path = `/v2/${target.repository}/blobs/${target.digest}`
  await write(worker, { kind: 'delete-blob', ...target }, async () => client.send('DELETE', path), 202)
}
