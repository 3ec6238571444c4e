import { digestOf } from '@stowage/oci'
import { describe, expect, it, test } from 'vitest'
import { defaultHash, javascriptHash } from '../hash.ts'
import { collect } from './pages.ts'
import { readAll, verified } from './verify.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString()

async function* chunked(...chunks: readonly string[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield bytes(chunk)
}

const right = 'the right bytes'
const options = {
  descriptor: { digest: digestOf(bytes(right), defaultHash), size: right.length },
  hash: defaultHash,
  subject: 'a.example/b',
}

describe('verified bytes', () => {
  test.each([[['the right bytes']], [['the ', 'right', ' bytes']], [['', 'the right', '', ' bytes', '']]])(
    '%j are given',
    async (chunks) => {
      expect(text(await collect(verified(chunked(...chunks), options)))).toBe(right)
    },
  )

  test.each([
    [['the wrong bytes']],
    [['the right bytez']],
    [['the right byte']],
    [['the right bytes', '!']],
    [[]],
    [['', '']],
    [['the right', ' bytes', 'x'.repeat(1000)]],
  ])('%j are not, and never to the end', async (chunks) => {
    const given: Uint8Array[] = []
    const reading = (async () => {
      for await (const chunk of verified(chunked(...chunks), options)) given.push(chunk)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'digest-mismatch', subject: 'a.example/b' })
    expect(text(given).length).toBeLessThan(right.length)
  })

  it('are held back until all were seen: a single wrong one is never given', async () => {
    const altered = 'the right bytez'.split('')
    const given: Uint8Array[] = []
    await expect(
      (async () => {
        for await (const chunk of verified(chunked(...altered), options)) given.push(chunk)
      })(),
    ).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(text(given)).toBe('the right byte')
  })

  it('are read no further than there are of them', async () => {
    let read = 0
    const endless = async function* (): AsyncIterable<Uint8Array> {
      for (;;) {
        read++
        yield bytes('0123456789')
      }
    }
    await expect(collect(verified(endless(), options))).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(read).toBe(2)
  })

  it('may be none', async () => {
    const descriptor = { digest: digestOf(bytes(''), defaultHash), size: 0 }
    expect(await collect(verified(chunked(), { ...options, descriptor }))).toEqual([])
    await expect(collect(verified(chunked('a'), { ...options, descriptor }))).rejects.toMatchObject({
      code: 'digest-mismatch',
    })
  })

  it('end what they come from when they are left', async () => {
    let closed = false
    const source = async function* (): AsyncIterable<Uint8Array> {
      try {
        yield* chunked('the ', 'right', ' bytes')
      } finally {
        closed = true
      }
    }
    for await (const _ of verified(source(), options)) break
    expect(closed).toBe(true)
  })

  test.each(['sha256', 'sha384', 'sha512'] as const)(
    'have the same %s by JavaScript as by the runtime',
    (algorithm) => {
      for (const size of [0, 1, 63, 64, 65, 1000]) {
        const content = new Uint8Array(size).fill(7)
        expect(digestOf(content, javascriptHash, algorithm)).toBe(digestOf(content, defaultHash, algorithm))
      }
    },
  )
})

describe('all bytes in one piece', () => {
  it('are as many as allowed', async () => {
    expect(text([await readAll(chunked('a', '', 'bc'), 3, 'it')])).toBe('abc')
    expect(await readAll(chunked(), 0, 'it')).toEqual(new Uint8Array())
    await expect(readAll(chunked('a', 'bc'), 2, 'it')).rejects.toMatchObject({ code: 'too-large', subject: 'it' })
  })
})
