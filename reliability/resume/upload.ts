import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type HttpAnswer, type HttpClient, locationOf } from '../http.ts'
import type { Random } from '../random.ts'
import { type Answer, type BodyRequest, sendPart, sendWhole } from './exchange.ts'
import type { UploadPlan } from './plan.ts'

/** Where the registry is now: it moves when it is started again. */
export interface Place {
  readonly url: string
  readonly client: HttpClient
}

export interface Counts {
  cutsByClient: number
  cutsByServer: number
  /** Bytes that a 202 had acknowledged and that were to be sent again. */
  sentAgainAfterClient: number
  sentAgainAfterServer: number
  wrongOffsetsRefused: number
  /** Cut requests that had been carried out to the end all the same. */
  finishedAllTheSame: number
  /** Times that the cut request was still arriving when the client had asked where to go on. */
  askedTooEarly: number
}

export interface ResumedUpload {
  /** Goes on until the chunk in which the server is to be killed is half sent, or to the end. */
  untilKilled(): Promise<void>
  /** Goes on to the end, from wherever it is, and pulls what was pushed. Throws what should not have been. */
  toTheEnd(): Promise<void>
}

export interface ResumedUploadOptions {
  readonly plan: UploadPlan
  readonly repository: string
  readonly random: Random
  readonly place: () => Place
  readonly counts: Counts
}

interface Cut {
  readonly request: BodyRequest
  /** Whether all of it was sent, so that it may be carried out. */
  readonly whole: boolean
  readonly by: 'client' | 'server'
  /** Whether nothing of it can come to the registry any more without the registry knowing that it is coming. */
  readonly arrived: boolean
}

/** A client that loses its connection again and again, and sends nothing twice that it was told was there. */
export const createResumedUpload = ({
  plan,
  repository,
  random,
  place,
  counts,
}: ResumedUploadOptions): ResumedUpload => {
  const { digest, bytes } = plan.content
  const size = bytes.byteLength
  const cutsLeft = [...plan.cuts]
  let location: string | undefined
  /** Bytes that a 202 said were there. */
  let acknowledged = 0
  /** Where the last byte ended that was ever sent. */
  let sent = 0
  let offset = 0
  /** Whether the next chunk must say where it belongs, because the registry's word was ambiguous. */
  let unsure = false
  let hanging: Socket | undefined
  let lastCut: Cut | undefined
  let wrongOffset = plan.wrongOffset

  const ask = async (): Promise<HttpAnswer> => place().client.send('GET', uploadPath())

  const uploadPath = (): string => {
    if (location === undefined) throw new Error('The upload has not begun.')
    return location
  }

  const begin = async (): Promise<void> => {
    const answer = await place().client.send('POST', `/v2/${repository}/blobs/uploads/`)
    if (answer.status !== 202) throw new Error(`POST of an upload was answered ${answer.status}.`)
    location = locationOf(answer)
  }

  /** The next request of the plan. */
  const nextRequest = (): { request: BodyRequest; end: number; index: number } => {
    const index = plan.ends.findIndex((end) => end > offset)
    const end = plan.ends[index] ?? size
    const closing = index < 0 || (end === size && plan.bodyInPut)
    const body = bytes.subarray(offset, end)
    const range = (plan.ranges || unsure) && body.byteLength > 0 ? { 'Content-Range': `${offset}-${end - 1}` } : {}
    const path = uploadPath()
    const query = closing ? `${path.includes('?') ? '&' : '?'}digest=${digest}` : ''
    const request: BodyRequest = {
      method: closing ? 'PUT' : 'PATCH',
      path: path + query,
      headers: { 'Content-Type': 'application/octet-stream', ...range },
      body,
      chunkSize: body.byteLength === 0 ? undefined : plan.chunkSize,
    }
    return { request, end, index }
  }

  /** Asks where to go on after a cut. True when the cut request had been the last and was carried out. */
  const find = async ({ by, request, whole }: Cut): Promise<boolean> => {
    const answer = await ask()
    if (answer.status === 404 && request.method === 'PUT' && whole) return finishedAllTheSame()
    if (answer.status !== 204) throw new Error(`GET of a cut upload was answered ${answer.status}: ${say(answer)}`)
    location = locationOf(answer)
    const last = lastOf(answer.headers['range'])
    // `0-0` is the first byte or none: the protocol has no other word for none.
    unsure = last === 0
    const found = last === 0 ? Math.min(acknowledged, 1) : last + 1
    if (found > sent) throw new Error(`The upload has ${found} bytes of ${sent} that were sent.`)
    const again = Math.max(0, acknowledged - found)
    if (by === 'server') counts.sentAgainAfterServer += again
    else {
      counts.sentAgainAfterClient += again
      if (again > 0) throw new Error(`The upload has ${found} bytes although ${acknowledged} were acknowledged.`)
    }
    acknowledged = offset = found
    return false
  }

  const finishedAllTheSame = async (): Promise<true> => {
    const head = await place().client.send('HEAD', `/v2/${repository}/blobs/${digest}`)
    if (head.status !== 200) throw new Error('The closing request took the upload and left no blob.')
    counts.finishedAllTheSame += 1
    return true
  }

  const tryWrongOffset = async (): Promise<void> => {
    if (unsure) return
    wrongOffset = false
    const wrong = offset > 0 && random.next() < 0.5 ? random.between(0, offset - 1) : offset + random.between(1, 1000)
    const body = bytes.subarray(0, Math.min(size, 100))
    const headers = { 'Content-Range': `${wrong}-${wrong + body.byteLength - 1}` }
    const chunkSize = undefined
    const answer = await sendWhole(place().url, { method: 'PATCH', path: uploadPath(), headers, body, chunkSize })
    if (answer.status !== 416)
      throw new Error(`A chunk at ${wrong} instead of ${offset} was answered ${answer.status}.`)
    counts.wrongOffsetsRefused += 1
    const after = await ask()
    const last = lastOf(after.headers['range'])
    if (last + 1 !== Math.max(offset, 1))
      throw new Error(`A refused chunk moved an upload from ${offset} to ${last + 1}.`)
    location = locationOf(after)
  }

  const cutByClient = async ({ request, end }: { request: BodyRequest; end: number }): Promise<boolean> => {
    const part = random.between(0, request.body.byteLength)
    sent = Math.max(sent, end - request.body.byteLength + part)
    // Bytes that are on their way when the client asks on another connection may come after the answer. Where chunks say
    // where they belong that shows; otherwise the client must know that they had arrived.
    const range = request.headers['Content-Range'] !== undefined
    const invited = request.body.byteLength > 0 && (!range || random.next() < 0.5)
    const socket = await sendPart(place().url, request, part, invited)
    if (typeof socket === 'number') {
      if (socket === 416) return outOfOrder()
      throw new Error(`A chunk at ${offset} was answered ${socket} before it came.`)
    }
    counts.cutsByClient += 1
    if (random.next() < 0.5) await pause(random.between(0, 10))
    if (random.next() < 0.5) socket.resetAndDestroy()
    else socket.destroy()
    if (random.next() < 0.5) await pause(random.between(0, 10))
    lastCut = { request, whole: isWhole(request, part), by: 'client', arrived: invited }
    if (await find(lastCut)) return true
    if (wrongOffset && invited) await tryWrongOffset()
    return false
  }

  const send = async ({ request, end }: { request: BodyRequest; end: number }): Promise<boolean> => {
    sent = Math.max(sent, end)
    const answer = await sendWhole(place().url, request)
    if (answer.status === 416) return outOfOrder()
    if (answer.status === 404 && lastCut?.arrived === false && lastCut.whole && lastCut.request.method === 'PUT')
      return finishedAllTheSame()
    if (request.method === 'PUT') {
      if (answer.status !== 201) throw new Error(`The closing PUT was answered ${answer.status}: ${answer.text}`)
      return true
    }
    if (answer.status !== 202) throw new Error(`A chunk at ${offset} was answered ${answer.status}: ${answer.text}`)
    const last = lastOf(answer.headers.get('range'))
    if (last + 1 !== end) throw new Error(`A chunk up to ${end} left the upload with ${last + 1} bytes.`)
    location = locationIn(answer)
    acknowledged = offset = end
    unsure = false
    return false
  }

  /** A chunk was not where the upload ends, which is right in two cases only. */
  const outOfOrder = async (): Promise<boolean> => {
    if (lastCut?.arrived === false) {
      counts.askedTooEarly += 1
      lastCut = { ...lastCut, arrived: true }
      return find(lastCut)
    }
    if (!unsure) throw new Error(`A chunk at ${offset} was answered 416.`)
    // Then `0-0` was the first byte.
    acknowledged = offset = 1
    unsure = false
    return false
  }

  const go = async (stopAt: number | undefined): Promise<void> => {
    if (location === undefined) await begin()
    for (;;) {
      const next = nextRequest()
      if (stopAt !== undefined && next.index >= stopAt) {
        const part = random.between(0, next.request.body.byteLength)
        sent = Math.max(sent, next.end - next.request.body.byteLength + part)
        const socket = await sendPart(place().url, next.request, part, false)
        if (typeof socket === 'number') throw new Error('There was no invitation to wait for.')
        hanging = socket
        lastCut = { request: next.request, whole: isWhole(next.request, part), by: 'server', arrived: true }
        return
      }
      const left = cutsLeft[next.index] ?? 0
      if (left > 0) cutsLeft[next.index] = left - 1
      if (await (left > 0 ? cutByClient(next) : send(next))) return
    }
  }

  return {
    untilKilled: async () => {
      if (plan.killIn !== undefined) await go(plan.killIn)
    },
    toTheEnd: async () => {
      let over = false
      if (hanging !== undefined && lastCut !== undefined) {
        hanging.destroy()
        counts.cutsByServer += 1
        over = await find(lastCut)
        if (!over && wrongOffset) await tryWrongOffset()
      }
      if (!over) await go(undefined)
      const pulled = await place().client.send('GET', `/v2/${repository}/blobs/${digest}`)
      if (pulled.status !== 200) throw new Error(`The pull of a resumed blob was answered ${pulled.status}.`)
      if (!pulled.body.equals(bytes)) throw new Error('The pull of a resumed blob gave other bytes.')
    },
  }
}

/** A body in chunks is not whole without the last of them, which is empty and which no cut request sends. */
const isWhole = ({ body, chunkSize }: BodyRequest, sent: number): boolean =>
  sent === body.byteLength && chunkSize === undefined

const lastOf = (range: unknown): number => {
  const last = typeof range === 'string' ? /^0-(\d+)$/.exec(range)?.[1] : undefined
  if (last === undefined) throw new Error(`An upload has the Range ${String(range)}.`)
  return Number(last)
}

const locationIn = ({ headers }: Answer): string => {
  const { pathname, search } = new URL(headers.get('location') ?? '', 'http://localhost')
  return pathname + search
}

const say = ({ body }: HttpAnswer): string => body.toString('utf8', 0, 200)
