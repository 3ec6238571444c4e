import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import { fileContent } from './file-content.ts'
import { pieceSize } from './read-file.ts'

let base: string
let path: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-file-'))
  path = join(base, 'file')
})

afterEach(() => rmSync(base, { recursive: true }))

const text = async (chunks: AsyncIterable<Uint8Array>): Promise<string> =>
  Buffer.concat(await collect(chunks)).toString()

it('gives the bytes of a file, as often as it is opened and from any place', async () => {
  writeFileSync(path, 'some bytes')
  const content = await fileContent(path)
  expect(content.size).toBe(10)
  expect(content.blob).toBeUndefined()
  expect(await text(content.open())).toBe('some bytes')
  expect(await text(content.open({ offset: 5 }))).toBe('bytes')
  expect(await text(content.open({ offset: 10 }))).toBe('')
})

it('gives large files in pieces, each with memory of its own', async () => {
  writeFileSync(path, Buffer.alloc(3 * pieceSize + 1, 7))
  const pieces = await collect((await fileContent(path)).open())
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([pieceSize, pieceSize, pieceSize, 1])
  expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(4)
})

it('takes an empty file', async () => {
  writeFileSync(path, '')
  const content = await fileContent(path)
  expect(content.size).toBe(0)
  expect(await text(content.open())).toBe('')
})

it.each([
  ['grew', () => appendFileSync(path, 'x')],
  ['shrank', () => writeFileSync(path, 'x')],
  ['was written again', () => utimesSync(path, 1, 1)],
])('names a file that %s since', async (_, change) => {
  writeFileSync(path, 'some bytes')
  const content = await fileContent(path)
  change()
  await expect(text(content.open())).rejects.toMatchObject({ code: 'digest-mismatch', subject: path })
})

it.each([
  ['grows', () => appendFileSync(path, 'x')],
  ['shrinks', () => writeFileSync(path, 'x')],
])('names a file that %s while it is read', async (_, change) => {
  writeFileSync(path, Buffer.alloc(2 * pieceSize))
  const content = await fileContent(path)
  const read = async (): Promise<void> => {
    let seen = 0
    for await (const piece of content.open()) {
      if (seen === 0) change()
      seen += piece.byteLength
    }
  }
  await expect(read()).rejects.toMatchObject({ code: 'digest-mismatch', message: expect.stringContaining(path) })
})

it('says what is not there, and what is no file', async () => {
  await expect(fileContent(path)).rejects.toMatchObject({ code: 'not-found', subject: path })
  mkdirSync(path)
  await expect(fileContent(path)).rejects.toMatchObject({ code: 'invalid-content' })
})

it.runIf(process.getuid?.() !== 0)('says what may not be read', async () => {
  writeFileSync(path, 'x')
  const content = await fileContent(path)
  chmodSync(path, 0)
  await expect(text(content.open())).rejects.toMatchObject({ code: 'denied', subject: path })
})

it('stops when the signal says so', async () => {
  writeFileSync(path, Buffer.alloc(2 * pieceSize))
  const content = await fileContent(path)
  const stop = new AbortController()
  const read = async (): Promise<void> => {
    for await (const _ of content.open({ signal: stop.signal })) stop.abort()
  }
  await expect(read()).rejects.toMatchObject({ code: 'aborted' })
})
