import { randomUUID } from 'node:crypto'
import type { Registry } from '@stowage/registry'
import { digestOf } from '../image.ts'
import { type Answer, byBytes, byDigest, listed, type Listed } from './answer.ts'
import type { Pool } from './contents.ts'
import { everything, seen, thereIs } from './look.ts'
import type { Operation, Reference } from './operation.ts'

/** Carries operations out on a registry, and says of its answers what the model would. */
export interface Driver {
  answer(operation: Operation): Promise<Answer>
}

interface Slot {
  readonly location: string
  readonly repository: string
  /** What was sent and taken. */
  size: number
  readonly parts: string[]
}

interface Sent {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/** @param registry Asked each time: it is another one after a restart. */
export const createDriver = (registry: () => Registry, pool: Pool, restart: () => Promise<void>): Driver => {
  const slots = new Map<number, Slot>()

  const send = async (
    method: string,
    path: string,
    { headers = {}, body }: { readonly headers?: Record<string, string>; readonly body?: Uint8Array } = {},
  ): Promise<Sent> => {
    const init = { method, headers, ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }) }
    const answer = await registry().fetch(new Request(`http://registry.test${path}`, init))
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
  }

  const blobOf = (index: number): { digest: string; bytes: Buffer } => pool.blobs[index] ?? fail()
  const referenceOf = (reference: Reference): string =>
    typeof reference === 'number' ? (pool.manifests[reference] ?? fail()).digest : reference

  const start = async (repository: string): Promise<Slot> => {
    const { headers } = await send('POST', `/v2/${repository}/blobs/uploads/`)
    return { location: headers.get('location') ?? fail(), repository, size: 0, parts: [] }
  }

  const pushBlob = async (
    repository: string,
    { digest, bytes }: { digest: string; bytes: Buffer },
    way: string,
  ): Promise<Sent> => {
    if (way === 'one') return send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes })
    const { location } = await start(repository)
    if (way === 'two') return send('PUT', `${location}?digest=${digest}`, { body: bytes })
    const middle = Math.ceil(bytes.byteLength / 2)
    for (const [from, to] of [
      [0, middle],
      [middle, bytes.byteLength],
    ] as const) {
      if (to === from) continue
      const range = `${from}-${to - 1}`
      await send('PATCH', location, { headers: { 'content-range': range }, body: bytes.subarray(from, to) })
    }
    return send('PUT', `${location}?digest=${digest}`)
  }

  /** The path of a slot's upload: a made-up one where there is none, another repository's where that is what is tried. */
  const pathOf = (slot: number, elsewhere: boolean): string => {
    const found = slots.get(slot)
    if (found === undefined) return `/v2/a/blobs/uploads/${randomUUID()}`
    return elsewhere ? found.location.replace(`/v2/${found.repository}/`, '/v2/else/where/') : found.location
  }

  const answer = async (operation: Operation): Promise<Answer> => {
    switch (operation.do) {
      case 'push-blob': {
        const { digest, bytes } = blobOf(operation.blob)
        const claimed = operation.wrong ? digestOf(Buffer.from(`not ${digest}`)) : digest
        return created(await pushBlob(operation.repository, { digest: claimed, bytes }, operation.way))
      }
      case 'mount': {
        const from = operation.from === undefined ? '' : `&from=${encodeURIComponent(operation.from)}`
        const { digest } = blobOf(operation.blob)
        const sent = await send('POST', `/v2/${operation.repository}/blobs/uploads/?mount=${digest}${from}`)
        return sent.status === 202 ? { status: 202 } : created(sent)
      }
      case 'head-blob': {
        const sent = await send('HEAD', `/v2/${operation.repository}/blobs/${blobOf(operation.blob).digest}`)
        return sent.status === 200 ? sized(sent) : { status: sent.status }
      }
      case 'get-blob': {
        const { digest } = blobOf(operation.blob)
        const headers = {
          ...(operation.range !== undefined && { range: `bytes=${operation.range}` }),
          ...(operation.known && { 'if-none-match': `"${digest}"` }),
        }
        const sent = await send('GET', `/v2/${operation.repository}/blobs/${digest}`, { headers })
        if (sent.status === 304) return { status: 304, digest: sent.headers.get('docker-content-digest') }
        const of = sent.headers.get('content-range')
        if (sent.status >= 400) return { ...refused(sent), ...(of !== null && { of }) }
        return { ...sized(sent), ...(of !== null && { of }), body: digestOf(sent.body) }
      }
      case 'delete-blob':
        return refused(await send('DELETE', `/v2/${operation.repository}/blobs/${blobOf(operation.blob).digest}`))
      case 'put-manifest': {
        const { digest, bytes, mediaType } = pool.manifests[operation.manifest] ?? fail()
        const query = operation.tags.length === 0 ? '' : `?${operation.tags.map((tag) => `tag=${tag}`).join('&')}`
        const sent = await send('PUT', `/v2/${operation.repository}/manifests/${operation.tag ?? digest}${query}`, {
          headers: { 'content-type': mediaType },
          body: bytes,
        })
        if (sent.status !== 201) return { ...refused(sent), missing: missingIn(sent) }
        const named = sent.headers.get('oci-tag')?.split(', ').toSorted()
        return { ...created(sent), subject: sent.headers.get('oci-subject') ?? undefined, tags: named }
      }
      case 'get-manifest':
      case 'head-manifest': {
        const method = operation.do === 'get-manifest' ? 'GET' : 'HEAD'
        const sent = await send(method, `/v2/${operation.repository}/manifests/${referenceOf(operation.reference)}`)
        if (sent.status !== 200) return method === 'GET' ? refused(sent) : { status: sent.status }
        const digest = sent.headers.get('docker-content-digest') ?? ''
        const body = digest.startsWith('sha256:') ? digestOf(sent.body) : digest
        return { ...sized(sent), type: sent.headers.get('content-type'), ...(method === 'GET' && { body }) }
      }
      case 'delete-manifest':
        return refused(
          await send('DELETE', `/v2/${operation.repository}/manifests/${referenceOf(operation.reference)}`),
        )
      case 'list-tags':
        return page(await send('GET', `/v2/${operation.repository}/tags/list${pageQuery(operation)}`), 'tags')
      case 'catalog':
        return page(await send('GET', `/v2/_catalog${pageQuery(operation)}`), 'repositories')
      case 'referrers':
        return referrers(operation.repository, referenceOf(operation.manifest), operation.type)
      case 'start-upload': {
        const sent = await send('POST', `/v2/${operation.repository}/blobs/uploads/`)
        const location = sent.headers.get('location') ?? fail()
        slots.set(operation.slot, { location, repository: operation.repository, size: 0, parts: [] })
        return progress(sent)
      }
      case 'send-chunk':
        return sendChunk(operation)
      case 'upload-status':
        return progress(await send('GET', pathOf(operation.slot, operation.elsewhere)))
      case 'cancel-upload':
        return refused(await send('DELETE', pathOf(operation.slot, operation.elsewhere)))
      case 'finish-upload':
        return finishUpload(operation)
      case 'look':
        return lookAround()
      case 'trash':
        await registry().upkeep.collectGarbage({ grace: 0, trustClock: true })
        return { status: 0 }
      case 'sweep':
        await registry().sweep()
        return { status: 0 }
      case 'scrub': {
        const { corrupt } = await registry().upkeep.scrub({ rate: 0, fromStart: true })
        return { status: 0, ...(corrupt.length > 0 && { corrupt }) }
      }
      case 'restart':
        await restart()
        return { status: 0 }
    }
  }

  const sendChunk = async ({
    slot,
    elsewhere,
    bytes,
    from,
  }: Operation & { readonly do: 'send-chunk' }): Promise<Answer> => {
    const found = slots.get(slot)
    const size = found?.size ?? 0
    // A byte too far, where one byte too few would be before the beginning.
    const first = from === undefined ? undefined : size + (size === 0 ? Math.abs(from) : from)
    const headers =
      first === undefined || bytes === '' ? {} : { 'content-range': `${first}-${first + bytes.length - 1}` }
    const sent = await send('PATCH', pathOf(slot, elsewhere), { headers, body: Buffer.from(bytes) })
    if (found !== undefined && sent.status === 202) {
      found.size += bytes.length
      found.parts.push(bytes)
    }
    return progress(sent)
  }

  const finishUpload = async ({
    slot,
    bytes,
    wrong,
  }: Operation & { readonly do: 'finish-upload' }): Promise<Answer> => {
    const found = slots.get(slot)
    const digest = digestOf(Buffer.from([...(found?.parts ?? []), bytes, wrong ? 'wrong' : ''].join('')))
    const sent = await send('PUT', `${pathOf(slot, false)}?digest=${digest}`, { body: Buffer.from(bytes) })
    if (sent.status !== 201 || found === undefined) return refused(sent)
    const { body } = await send('GET', `/v2/${found.repository}/blobs/${digest}`)
    return { ...created(sent), body: digestOf(body) }
  }

  const referrers = async (repository: string, subject: string, type: string | undefined): Promise<Answer> => {
    const entries: Listed[] = []
    let next: string | undefined =
      `/v2/${repository}/referrers/${subject}${type === undefined ? '' : `?artifactType=${encodeURIComponent(type)}`}`
    let filtered = false
    while (next !== undefined) {
      const sent: Sent = await send('GET', next)
      if (sent.status !== 200) return refused(sent)
      filtered = sent.headers.get('oci-filters-applied') === 'artifactType'
      const { manifests } = JSON.parse(sent.body.toString()) as { manifests: readonly Descriptor[] }
      entries.push(...manifests.map(listed))
      next = /^<([^>]+)>; rel="next"$/.exec(sent.headers.get('link') ?? '')?.[1]
    }
    return { status: 200, filtered, entries: entries.toSorted(byDigest) }
  }

  const lookAround = async (): Promise<Answer> => {
    const there: string[] = []
    for (const question of everything(pool)) {
      const { repository, kind, name } = question
      const { status, headers } = await send(
        'HEAD',
        `/v2/${repository}/${kind === 'blob' ? 'blobs' : 'manifests'}/${name}`,
      )
      if (status !== 404) there.push(thereIs(question, headers.get('docker-content-digest') ?? String(status)))
    }
    return seen(there)
  }

  return { answer }
}

interface Descriptor {
  readonly digest: string
  readonly mediaType: string
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

const codeOf = ({ body }: Sent): string | undefined =>
  (JSON.parse(body.toString()) as { errors: readonly { code: string }[] }).errors[0]?.code

const refused = (sent: Sent): Answer =>
  sent.status < 400 ? { status: sent.status } : { status: sent.status, code: codeOf(sent) }

const missingIn = ({ body }: Sent): readonly string[] | undefined =>
  (
    JSON.parse(body.toString()) as { errors: readonly { detail?: { blobs?: string[] } }[] }
  ).errors[0]?.detail?.blobs?.toSorted(byBytes)

const created = (sent: Sent): Answer =>
  sent.status === 201
    ? { status: 201, digest: sent.headers.get('docker-content-digest'), location: sent.headers.has('location') }
    : refused(sent)

const sized = ({ status, headers }: Sent): Answer => ({
  status,
  digest: headers.get('docker-content-digest'),
  size: Number(headers.get('content-length')),
})

const progress = (sent: Sent): Answer => {
  const range = sent.headers.get('range')
  return { ...refused(sent), ...(range !== null && { range }) }
}

const pageQuery = ({ n, last }: { readonly n: number | undefined; readonly last: string | undefined }): string => {
  const query = new URLSearchParams({ ...(n !== undefined && { n: String(n) }), ...(last !== undefined && { last }) })
  return query.size === 0 ? '' : `?${query.toString()}`
}

const page = (sent: Sent, member: string): Answer => {
  if (sent.status !== 200) return refused(sent)
  const value = JSON.parse(sent.body.toString()) as Readonly<Record<string, unknown>>
  return { status: 200, entries: value[member], more: sent.headers.has('link') }
}

const fail = (): never => {
  throw new Error('The registry did not say where an upload is, or the operation is about nothing of the pool.')
}
