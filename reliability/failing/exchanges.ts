import { createHash } from 'node:crypto'
import { CutError, type HttpAnswer, type HttpClient, locationOf } from '../http.ts'
import { type Content, contentOf, pushBlob } from '../image.ts'
import type { Random } from '../random.ts'

export interface Place {
  readonly client: HttpClient
  readonly random: Random
  /** Lets so much time pass for the registry, and sweeps. */
  sweep(after: number): Promise<void>
}

/** Something a client wants done, and can ask for again when it was not. */
export interface Prepared {
  /** The last answer, which decides; undefined when the connection was cut. */
  attempt(): Promise<HttpAnswer | undefined>
  /** The status of an attempt that was carried out. */
  readonly done: number
  /** The status of one that had been carried out before, if that is another. */
  readonly doneBefore?: number
  /** Of what an answer of success promises that it is durable. */
  readonly writes?: string
  /** What is wrong once it was done; undefined when nothing is. */
  verify(): Promise<string | undefined>
}

export interface Exchange {
  readonly name: string
  prepare(place: Place): Promise<Prepared>
}

const repository = 'failing/blobs'
const small = 20_000
const large = 700_000
const minutes = 60_000

const sha512Of = (bytes: Buffer): Content => ({
  bytes,
  digest: `sha512:${createHash('sha512').update(bytes).digest('hex')}`,
})

const cutIsUndefined = async (answer: Promise<HttpAnswer>): Promise<HttpAnswer | undefined> => {
  try {
    return await answer
  } catch (error) {
    if (error instanceof CutError) return undefined
    throw error
  }
}

export const pull = async (client: HttpClient, { digest }: Content, range?: string): Promise<HttpAnswer | undefined> =>
  cutIsUndefined(
    client.send('GET', `/v2/${repository}/blobs/${digest}`, range === undefined ? {} : { headers: { range } }),
  )

/** Pulls the whole of it: whatever is answered with success must be right. */
export const problemOf = async (client: HttpClient, content: Content): Promise<string | undefined> => {
  const answer = await pull(client, content)
  if (answer?.status !== 200) return `a pull of what was stored gave ${answer?.status ?? 'a cut'}`
  return answer.body.equals(content.bytes) ? undefined : 'a pull gave other bytes than were pushed'
}

const pushing = (
  name: string,
  make: (place: Place) => Content,
  push: (place: Place, content: Content) => Attempt,
): Exchange => ({
  name,
  prepare: async (place) => {
    const content = make(place)
    const attempt = push(place, content)
    return { done: 201, writes: content.digest, attempt, verify: async () => problemOf(place.client, content) }
  },
})

type Attempt = () => Promise<HttpAnswer | undefined>

const single =
  ({ client }: Place, { digest, bytes }: Content): Attempt =>
  async () =>
    client.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes })

/** Goes on where the last attempt came to, as a client does that does not want to send everything again. */
const chunked = ({ client, sweep }: Place, { digest, bytes }: Content, idle: number): Attempt => {
  let location: string | undefined
  const half = bytes.byteLength >> 1
  return async () => {
    let from = 0
    if (location !== undefined) {
      const status = await client.send('GET', location)
      if (status.status === 404) location = undefined
      else if (status.status !== 204) return status
      else {
        const last = Number(String(status.headers['range']).split('-')[1])
        from = last === 0 ? 0 : last + 1
      }
    }
    if (location === undefined) {
      const begun = await client.send('POST', `/v2/${repository}/blobs/uploads/`)
      if (begun.status !== 202) return begun
      location = locationOf(begun)
    }
    for (const to of [half, bytes.byteLength]) {
      if (from >= to) continue
      const patch = await client.send('PATCH', location, {
        headers: { 'content-range': `${from}-${to - 1}` },
        body: bytes.subarray(from, to),
      })
      if (patch.status !== 202) return patch
      from = to
      // Its file is closed, and the digest computed from what is stored.
      if (idle > 0) await sweep(idle).catch(() => {})
    }
    return client.send('PUT', `${location}?digest=${digest}`)
  }
}

const stored = async ({ client, random }: Place, size: number): Promise<Content> => {
  const content = contentOf(random.bytes(size))
  const { status } = await pushBlob(client, repository, content)
  if (status !== 201) throw new Error(`A push without a fault gave ${status}.`)
  return content
}

const pulling = (name: string, size: number, range?: readonly [number, number]): Exchange => ({
  name,
  prepare: async (place) => {
    const content = await stored(place, size)
    const [start, end] = range ?? [0, size]
    let last: HttpAnswer | undefined
    return {
      done: range === undefined ? 200 : 206,
      attempt: async () => {
        last = await pull(place.client, content, range && `bytes=${start}-${end - 1}`)
        return last
      },
      verify: async () =>
        last?.body.equals(content.bytes.subarray(start, end)) === true ? undefined : 'a pull gave other bytes',
    }
  },
})

export const exchanges: readonly Exchange[] = [
  pushing('a push in one request', ({ random }) => contentOf(random.bytes(small)), single),
  pushing('a push of much in one request', ({ random }) => contentOf(random.bytes(2 * large)), single),
  pushing(
    'a push with POST and PUT',
    ({ random }) => contentOf(random.bytes(small)),
    ({ client }, content) =>
      async () =>
        pushBlob(client, repository, content),
  ),
  pushing(
    'a push in chunks',
    ({ random }) => contentOf(random.bytes(small)),
    (place, content) => chunked(place, content, 0),
  ),
  pushing(
    'a push in chunks with long pauses',
    ({ random }) => contentOf(random.bytes(small)),
    (place, content) => chunked(place, content, 2 * minutes),
  ),
  pushing('a push of sha512', ({ random }) => sha512Of(random.bytes(small)), single),
  {
    name: 'a push of what is here',
    prepare: async (place) => {
      const content = await stored(place, small)
      return {
        done: 201,
        writes: content.digest,
        attempt: single(place, content),
        verify: async () => problemOf(place.client, content),
      }
    },
  },
  {
    name: 'a deletion, and its sweep',
    prepare: async (place) => {
      const content = await stored(place, small)
      return {
        done: 202,
        doneBefore: 404,
        attempt: async () => {
          const answer = await place.client.send('DELETE', `/v2/${repository}/blobs/${content.digest}`)
          // What fails of it is tried again by the next one.
          await place.sweep(5 * minutes).catch(() => {})
          return answer
        },
        verify: async () => {
          await place.sweep(5 * minutes)
          const answer = await pull(place.client, content)
          return answer?.status === 404 ? undefined : `a pull of what was deleted gave ${answer?.status ?? 'a cut'}`
        },
      }
    },
  },
  pulling('a pull', small),
  pulling('a pull of much', large),
  pulling('a pull of a part', large, [1000, 2000]),
  pulling('a pull of a large part', large, [1000, 600_000]),
]
