import { describe, expect, it, test } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { readAll } from '../content/verify.ts'
import { toBody } from './body.ts'

const text = async (chunks: AsyncIterable<Uint8Array>): Promise<string> =>
  new TextDecoder().decode(await readAll(chunks, 1000, 'test'))
const bytes = new TextEncoder().encode('hello')

test.each<[string, unknown, string, string | undefined]>([
  ['text', 'héllo', 'héllo', undefined],
  ['bytes', bytes, 'hello', undefined],
  ['a part of a buffer', bytes.subarray(1, 3), 'el', undefined],
  ['an ArrayBuffer', new TextEncoder().encode('hello').buffer, 'hello', undefined],
  ['a Blob', new Blob(['hello']), 'hello', undefined],
  ['a Blob with a type', new Blob(['hello'], { type: 'text/plain' }), 'hello', 'text/plain'],
  ['content', bytesContent(bytes), 'hello', undefined],
  ['an object', { a: [1], b: 'c' }, '{"a":[1],"b":"c"}', 'application/json'],
  ['an array', [1, { a: 2 }], '[1,{"a":2}]', 'application/json'],
  [
    'an object without a prototype',
    Object.assign(Object.create(null) as object, { a: 1 }),
    '{"a":1}',
    'application/json',
  ],
  ['what says itself how it is written', { toJSON: () => ({ a: 1 }) }, '{"a":1}', 'application/json'],
])('%s is sent as often as it takes', async (_, value, expected, type) => {
  const { content, type: actual } = toBody(value)
  expect(actual).toBe(type)
  expect(content.size).toBe(new TextEncoder().encode(expected).byteLength)
  expect(await text(content.open())).toBe(expected)
  expect(await text(content.open({ offset: 1 }))).toBe(
    new TextDecoder().decode(new TextEncoder().encode(expected).subarray(1)),
  )
})

describe('a function', () => {
  const chunks = ['he', 'l', '', 'lo'].map((part) => new TextEncoder().encode(part))
  const stream = (): ReadableStream<Uint8Array> => ReadableStream.from(chunks)
  async function* generator(): AsyncIterable<Uint8Array> {
    yield* chunks
  }

  it.each<[string, () => unknown]>([
    ['a web stream', stream],
    ['an async iterable', generator],
    ['a promise of a stream', async () => stream()],
  ])('that gives %s is called for each time', async (_, open) => {
    let calls = 0
    const { content } = toBody(() => {
      calls += 1
      return open()
    })
    expect([calls, content.size]).toEqual([0, undefined])
    expect(await text(content.open())).toBe('hello')
    expect(await text(content.open({ offset: 3 }))).toBe('lo')
    expect(calls).toBe(2)
  })
})

test.each<[string, unknown, string]>([
  ['a stream', new Blob(['x']).stream(), 'only once'],
  ['an async iterable', (async function* () {})(), 'only once'],
  ['an object that is one', { async *[Symbol.asyncIterator]() {} }, 'only once'],
  ['null', null, 'cannot be null'],
  ['a number', 5, 'of type number'],
  ['a Map', new Map([['a', 1]]), 'of type object'],
  ['an object that JSON leaves nothing of', { toJSON: () => undefined }, 'of type object'],
])('%s is refused', (_, value, message) => {
  expect(() => toBody(value)).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(message), hint: expect.anything() }),
  )
})
