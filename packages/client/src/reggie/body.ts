/** What a request can have as its body. */
import { type Content, type ContentLike, iterate, toContent } from '../content/content.ts'
import { ClientError } from '../errors.ts'

/** Opens the same bytes each time it is called: after a 401 they are sent once more. */
export type BodyFactory = () =>
  | AsyncIterable<Uint8Array>
  | ReadableStream<Uint8Array>
  | Promise<AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>>

/** Objects and arrays become JSON, text becomes UTF-8. */
export type BodyLike = ContentLike | ArrayBuffer | BodyFactory | object

export interface Body {
  readonly content: Content
  /** The media type that goes without saying. */
  readonly type: string | undefined
}

/** @throws {ClientError} `usage` for what cannot be sent, or could be sent only once */
export const toBody = (value: unknown): Body => {
  if (typeof value === 'string' || value instanceof Uint8Array) return { content: toContent(value), type: undefined }
  if (value instanceof Blob) return { content: toContent(value), type: value.type === '' ? undefined : value.type }
  if (value instanceof ArrayBuffer) return { content: toContent(new Uint8Array(value)), type: undefined }
  if (typeof value === 'function') return { content: fromFactory(value as BodyFactory), type: undefined }
  if (isContent(value)) return { content: value, type: undefined }
  const text = isPlain(value) ? JSON.stringify(value) : undefined
  if (text !== undefined) return { content: toContent(text), type: 'application/json' }
  throw refusal(value)
}

const isContent = (value: unknown): value is Content =>
  typeof value === 'object' && value !== null && 'open' in value && typeof value.open === 'function'

/** What JSON keeps: anything else would become `{}` without a word. */
const isPlain = (value: unknown): value is object => {
  if (typeof value !== 'object' || value === null || Symbol.asyncIterator in value) return false
  if (Array.isArray(value) || 'toJSON' in value) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const refusal = (value: unknown): ClientError => {
  const streams = typeof value === 'object' && value !== null && ('getReader' in value || Symbol.asyncIterator in value)
  if (streams) {
    return new ClientError('usage', 'A stream can be sent only once, and a 401 would need it a second time.', {
      hint: 'Give a function that opens it: SetBody(() => createReadStream(path)).',
    })
  }
  return new ClientError('usage', `A body cannot be ${value === null ? 'null' : `of type ${typeof value}`}.`, {
    hint: 'Give text, bytes, a Blob, an object or array for JSON, or a function that opens a stream.',
  })
}

const fromFactory = (factory: BodyFactory): Content => ({
  size: undefined,
  async *open({ offset = 0 } = {}) {
    const bytes = await factory()
    let skip = offset
    for await (const chunk of bytes instanceof ReadableStream ? iterate(bytes) : bytes) {
      if (chunk.byteLength > skip) yield skip === 0 ? chunk : chunk.subarray(skip)
      skip = Math.max(0, skip - chunk.byteLength)
    }
  },
})
