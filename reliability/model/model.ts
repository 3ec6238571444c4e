import { digestOf } from '../image.ts'
import { type Answer, byBytes, byDigest, created, error, listed, page, part, progress } from './answer.ts'
import type { Pool, PoolManifest } from './contents.ts'
import { type Contents, isNamed, isUsed, look } from './look.ts'
import type { Operation, Reference } from './operation.ts'

/**
 * What a registry with one client should answer, in as few lines as it can be said: from the distribution specification, the
 * image specification, RFC 9110 and docs/, not from the code.
 */
export interface Model {
  answer(operation: Operation): Answer
  /** The same state, to go another way from. */
  copy(): Model
  /** Equal where everything that can be asked is answered alike. */
  key(): string
}

interface Upload {
  readonly repository: string
  readonly bytes: string
}

const nothing: Contents = { blobs: new Set(), manifests: new Map(), tags: new Map() }

export const createModel = (
  pool: Pool,
  repositories: ReadonlyMap<string, Contents> = new Map(),
  uploads: ReadonlyMap<number, Upload> = new Map(),
): Model => {
  const at = (name: string): Contents => repositories.get(name) ?? nothing
  const change = (name: string, more: Partial<Contents>): void => {
    repositories = new Map(repositories).set(name, { ...at(name), ...more })
  }
  const link = (name: string, digest: string): void => change(name, { blobs: new Set(at(name).blobs).add(digest) })
  const blobOf = (index: number): { digest: string; bytes: Buffer } => pool.blobs[index] ?? fail()
  const manifestOf = (index: number): PoolManifest => pool.manifests[index] ?? fail()

  const resolve = (name: string, reference: Reference): PoolManifest | Answer => {
    const { manifests, tags } = at(name)
    const digest = typeof reference === 'number' ? manifestOf(reference).digest : tags.get(reference)
    // "MUST return 404 Not Found"; and "MANIFEST_UNKNOWN" or "NAME_UNKNOWN".
    const found = digest === undefined ? undefined : manifests.get(digest)
    if (found !== undefined) return found
    return error(404, repositories.has(name) ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN')
  }

  const upload = (slot: number, elsewhere: boolean): Upload | undefined => (elsewhere ? undefined : uploads.get(slot))
  const unknownUpload = error(404, 'BLOB_UPLOAD_UNKNOWN')
  const setUpload = (slot: number, value: Upload | undefined): void => {
    const changed = new Map(uploads)
    changed.delete(slot)
    uploads = value === undefined ? changed : changed.set(slot, value)
  }

  const answer = (operation: Operation): Answer => {
    switch (operation.do) {
      case 'push-blob': {
        const { digest } = blobOf(operation.blob)
        if (operation.wrong) return error(400, 'DIGEST_INVALID')
        link(operation.repository, digest)
        return created(digest)
      }
      case 'mount': {
        const { digest } = blobOf(operation.blob)
        const { repository, from } = operation
        const sources = from === undefined ? [...repositories.keys()] : [from]
        // Where it cannot be mounted an upload begins: "it SHOULD return a 202".
        if (!sources.some((source) => at(source).blobs.has(digest))) return { status: 202 }
        link(repository, digest)
        return created(digest)
      }
      case 'head-blob':
      case 'get-blob':
        return readBlob(operation)
      case 'delete-blob': {
        const { digest } = blobOf(operation.blob)
        const repository = at(operation.repository)
        if (!repository.blobs.has(digest)) return error(404, 'BLOB_UNKNOWN')
        if (isUsed(repository, digest)) return error(405, 'DENIED')
        change(operation.repository, { blobs: without(repository.blobs, digest) })
        return { status: 202 }
      }
      case 'put-manifest': {
        const manifest = manifestOf(operation.manifest)
        const { repository: name, tag, tags } = operation
        const { blobs, manifests, tags: before } = at(name)
        const missing = manifest.blobs.filter((digest) => !blobs.has(digest))
        if (missing.length > 0)
          return { ...error(400, 'MANIFEST_BLOB_UNKNOWN'), missing: [...new Set(missing)].toSorted(byBytes) }
        const named = tag === undefined ? tags : [tag]
        change(name, {
          manifests: new Map(manifests).set(manifest.digest, manifest),
          tags: new Map([...before, ...named.map((one): [string, string] => [one, manifest.digest])]),
        })
        return {
          ...created(manifest.digest),
          subject: manifest.subject,
          tags: tags.length > 0 ? tags.toSorted(byBytes) : undefined,
        }
      }
      case 'get-manifest':
      case 'head-manifest': {
        const found = resolve(operation.repository, operation.reference)
        if ('status' in found) return operation.do === 'get-manifest' ? found : { status: found.status }
        const { digest, mediaType, bytes } = found
        return {
          status: 200,
          digest,
          type: mediaType,
          size: bytes.byteLength,
          ...(operation.do === 'get-manifest' && { body: digest }),
        }
      }
      case 'delete-manifest': {
        const { repository, reference } = operation
        const found = resolve(repository, reference)
        if ('status' in found) return found
        const { manifests, tags } = at(repository)
        // By tag the tag goes; by digest the manifest, "and all tags" that name it.
        if (typeof reference === 'string') change(repository, { tags: without(tags, reference) })
        else {
          const kept = [...tags].filter(([, digest]) => digest !== found.digest)
          change(repository, { manifests: without(manifests, found.digest), tags: new Map(kept) })
        }
        return { status: 202 }
      }
      case 'list-tags':
        if (!repositories.has(operation.repository)) return error(404, 'NAME_UNKNOWN')
        return page(at(operation.repository).tags.keys(), operation.n, operation.last)
      case 'catalog':
        return page(repositories.keys(), operation.n, operation.last)
      case 'referrers': {
        const { digest: subject } = manifestOf(operation.manifest)
        const of = [...at(operation.repository).manifests.values()].filter((one) => one.subject === subject)
        const entries = of.filter(({ artifactType }) => operation.type === undefined || artifactType === operation.type)
        return {
          status: 200,
          filtered: operation.type !== undefined,
          entries: entries.map((one) => listed({ ...one, size: one.bytes.byteLength })).toSorted(byDigest),
        }
      }
      case 'start-upload':
        setUpload(operation.slot, { repository: operation.repository, bytes: '' })
        return progress(202, '')
      case 'send-chunk': {
        const found = upload(operation.slot, operation.elsewhere)
        if (found === undefined) return unknownUpload
        // "If a chunk is uploaded out of order, the registry MUST respond with a 416". A chunk of nothing says no range.
        if (operation.from !== undefined && operation.from !== 0 && operation.bytes !== '')
          return { ...progress(416, found.bytes), code: 'BLOB_UPLOAD_INVALID' }
        const bytes = found.bytes + operation.bytes
        setUpload(operation.slot, { ...found, bytes })
        return progress(202, bytes)
      }
      case 'upload-status': {
        const found = upload(operation.slot, operation.elsewhere)
        return found === undefined ? unknownUpload : progress(204, found.bytes)
      }
      case 'cancel-upload':
        if (upload(operation.slot, operation.elsewhere) === undefined) return unknownUpload
        setUpload(operation.slot, undefined)
        return { status: 204 }
      case 'finish-upload': {
        const found = upload(operation.slot, false)
        if (found === undefined) return unknownUpload
        // It stays as it was before the request.
        if (operation.wrong) return error(400, 'DIGEST_INVALID')
        const digest = digestOf(Buffer.from(found.bytes + operation.bytes))
        link(found.repository, digest)
        setUpload(operation.slot, undefined)
        // What came in pieces is read back in one.
        return { ...created(digest), body: digest }
      }
      case 'look':
        return look(at, pool)
      case 'trash':
        // Without any grace: whatever no manifest needs goes, and nothing else.
        for (const [name, repository] of repositories)
          change(name, { blobs: new Set([...repository.blobs].filter((digest) => isNamed(repository, digest))) })
        return { status: 0 }
      case 'sweep':
      case 'scrub':
      case 'restart':
        return { status: 0 }
    }
  }

  const readBlob = (operation: Operation & { readonly do: 'head-blob' | 'get-blob' }): Answer => {
    const { digest, bytes } = blobOf(operation.blob)
    const size = bytes.byteLength
    const there = at(operation.repository).blobs.has(digest)
    if (operation.do === 'head-blob') return there ? { status: 200, digest, size } : { status: 404 }
    if (!there) return error(404, 'BLOB_UNKNOWN')
    if (operation.known) return { status: 304, digest }
    if (operation.range === undefined) return { status: 200, digest, size, body: digestOf(bytes) }
    return part(digest, bytes, operation.range)
  }

  return {
    answer,
    copy: () => createModel(pool, repositories, uploads),
    key: () =>
      JSON.stringify(
        [...repositories]
          .toSorted(([one], [other]) => byBytes(one, other))
          .map(([name, { blobs, manifests, tags }]) => [
            name,
            [...blobs].toSorted(byBytes),
            [...manifests.keys()].toSorted(byBytes),
            [...tags].toSorted(([first], [second]) => byBytes(first, second)),
          ]),
      ),
  }
}

const without = <C extends ReadonlySet<string> | ReadonlyMap<string, unknown>>(all: C, key: string): C => {
  const copy = all instanceof Map ? new Map(all) : new Set(all as ReadonlySet<string>)
  copy.delete(key)
  return copy as unknown as C
}

const fail = (): never => {
  throw new Error('The operation is about something that is not in the pool.')
}
