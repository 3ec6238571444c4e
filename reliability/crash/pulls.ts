import type { HttpAnswer } from '../http.ts'
import { digestOf, imageType } from '../image.ts'
import { absent, blobKey, manifestKey, type ObjectKey, partsOf, present, tagKey } from './objects.ts'
import { tags, type Worker } from './worker.ts'

/** By tag or by digest, with all blobs. Whatever others do meanwhile, what comes must be what was pushed. */
export const pullImage = async (worker: Worker, repository: string): Promise<void> => {
  const { random, images } = worker
  const known = [...(images.get(repository)?.keys() ?? [])]
  const digest = known.length > 0 && random.next() < 0.4 ? random.pick(known) : undefined
  const key = digest === undefined ? tagKey(repository, random.pick(tags)) : manifestKey(repository, digest)
  const body = await read(worker, key)
  if (body === undefined) return
  const manifest = JSON.parse(body.toString()) as Manifest
  for (const blob of [manifest.config, ...manifest.layers]) await read(worker, blobKey(repository, blob.digest))
}

interface Manifest {
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string }[]
}

/** Reads it, and compares what comes with what may come while others write. */
const read = async (worker: Worker, key: ObjectKey): Promise<Buffer | undefined> => {
  const { client, history, findings, tally } = worker
  const { model } = history
  const { kind, repository, name } = partsOf(key)
  const from = model.now()
  const path = `/v2/${repository}/${kind === 'blob' ? 'blobs' : 'manifests'}/${name}`
  const answer = await client.send('GET', path, { headers: { accept: imageType } })
  const to = model.now()
  if (answer.status >= 500) {
    tally.serverErrors += 1
    return undefined
  }
  const value = valueOf(key, answer)
  if (value === undefined) {
    findings.add('I5', key, `GET of ${key} while others wrote was answered ${answer.status} with the wrong bytes`)
    return undefined
  }
  const possible = model.possible(key, from, to)
  if (kind === 'blob' && model.mayBeCollected(repository, name, { from, to, at: Date.now() })) possible.add(absent)
  if (!possible.has(value)) {
    const sentence = `GET of ${key} while others wrote gave ${value}, and may give ${[...possible].join(' or ')}`
    findings.add(value === absent ? 'I1' : 'I7', key, sentence, { lost: true })
  }
  if (value === absent) return undefined
  tally.verified += 1
  return answer.body
}

/** Undefined: a clean answer with the wrong bytes. */
const valueOf = (key: ObjectKey, { status, headers, body }: HttpAnswer): string | undefined => {
  if (status !== 200) return absent
  const digest = digestOf(body)
  const { kind, name } = partsOf(key)
  if (kind === 'tag') return headers['docker-content-digest'] === digest ? digest : undefined
  return digest === name ? present : undefined
}

/** The list of tags has each one that is there all the while. */
export const readTags = async (worker: Worker, repository: string): Promise<void> => {
  const { client, history, findings, tally } = worker
  const { model } = history
  const from = model.now()
  const answer = await client.send('GET', `/v2/${repository}/tags/list`)
  const to = model.now()
  if (answer.status >= 500) tally.serverErrors += 1
  if (answer.status !== 200) return
  const body = JSON.parse(answer.body.toString()) as { readonly tags?: string[] | null }
  const listed = new Set((body.tags ?? []).map((tag) => tagKey(repository, tag)))
  for (const key of model.tagsOf(repository)) {
    const possible = model.possible(key, from, to)
    if (!possible.has(absent) && !listed.has(key))
      findings.add('I4', `list ${key}`, `${key} is there all the while, and not in the list of tags`)
    if (listed.has(key) && possible.size === 1 && possible.has(absent))
      findings.add('I4', `list ${key}`, `${key} is gone all the while, and in the list of tags`)
  }
}
