import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { collect } from '../../content/pages.ts'
import { sampleTar } from '../../testing/sample-tar.ts'
import { type Archive, openArchive } from './open-archive.ts'

let base: string
let path: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-archive-'))
  path = join(base, 'x.tar')
  mkdirSync(join(base, 'tmp'))
  vi.stubEnv('TMPDIR', join(base, 'tmp'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true })
})

const tar = sampleTar([
  { name: 'a', content: 'first' },
  { name: 'd/b', content: 'x'.repeat(1_000_000) },
  { name: 'c', type: '2', linkname: 'd/../a' },
  { name: 'e', type: '2', linkname: 'f' },
  { name: 'f', type: '2', linkname: 'e' },
])

const open = (input: Readable = Readable.from([]), signal?: AbortSignal) =>
  openArchive({ path, input, links: true, signal })
const openThere = async (input?: Readable): Promise<Archive> => {
  const archive = await open(input)
  if (archive === undefined) throw new Error('There is no archive.')
  return archive
}
const text = async (archive: Archive, name: string): Promise<string | undefined> => {
  const file = archive.find(name)
  return file === undefined ? undefined : Buffer.concat(await collect(archive.read(file))).toString()
}

it.each([
  ['plain', tar],
  ['compressed with gzip', gzipSync(tar)],
  ['compressed in two parts', Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))])],
])('reads an archive that is %s, and leaves nothing', async (_, bytes) => {
  writeFileSync(path, bytes)
  {
    await using archive = await openThere()
    expect(await text(archive, 'd/b')).toBe('x'.repeat(1_000_000))
    expect(await text(archive, 'a')).toBe('first')
    expect(await text(archive, 'c')).toBe('first')
    expect(await text(archive, 'e')).toBeUndefined()
    expect(await text(archive, 'd')).toBeUndefined()
    expect(Buffer.from((await archive.readSmall('a', 5)) ?? []).toString()).toBe('first')
    expect(await archive.readSmall('nothing', 5)).toBeUndefined()
    await expect(archive.readSmall('a', 4)).rejects.toMatchObject({ code: 'too-large' })
  }
  expect(readdirSync(join(base, 'tmp'))).toEqual([])
  expect(readdirSync(base)).toEqual(['tmp', 'x.tar'])
})

it.each([
  ['plain', tar],
  ['compressed', gzipSync(tar)],
])('reads a %s stream', async (_, bytes) => {
  path = '-'
  await using archive = await openThere(Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]))
  expect(await text(archive, 'a')).toBe('first')
})

it.skipIf(process.platform === 'win32')('keeps the bytes of a stream in a file without a name', async () => {
  path = '-'
  await using archive = await openThere(Readable.from([tar]))
  expect(readdirSync(join(base, 'tmp'))).toEqual([])
  expect(archive.entries.size).toBe(5)
})

it('knows what is not there from what is empty and from what is no archive', async () => {
  expect(await open()).toBeUndefined()
  writeFileSync(path, '')
  expect(await open()).toBeUndefined()
  writeFileSync(path, 'no tar at all, but long enough for a header'.repeat(20))
  await expect(open()).rejects.toMatchObject({ code: 'invalid-content', message: expect.stringContaining('is no tar') })
  path = base
  await expect(open()).rejects.toMatchObject({
    code: 'invalid-content',
    hint: expect.stringContaining(`ocidir:${base}`),
  })
})

it.each([
  ['zstd', '28b52ffd00'],
  ['xz', 'fd377a585a0000'],
  ['bzip2', '425a6839'],
])('says that it does not read %s', async (name, magic) => {
  writeFileSync(path, Buffer.from(magic, 'hex'))
  await expect(open()).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining(name) })
})

it('says that a compressed archive is damaged, and leaves nothing', async () => {
  const packed = gzipSync(tar)
  for (const bytes of [packed.subarray(0, -20), packed.map((byte, at) => (at === 500 ? byte ^ 0xff : byte))]) {
    writeFileSync(path, bytes)
    await expect(open()).rejects.toMatchObject({ code: 'invalid-content', subject: path })
  }
  expect(readdirSync(join(base, 'tmp'))).toEqual([])
})

it('stops waiting for a stream when the signal says so', async () => {
  path = '-'
  const stop = new AbortController()
  const input = new Readable({ read: () => {} })
  input.push(tar.subarray(0, 100))
  const opening = open(input, stop.signal)
  stop.abort()
  await expect(opening).rejects.toMatchObject({ code: 'aborted' })
  expect(readdirSync(join(base, 'tmp'))).toEqual([])
})

it('tells what broke a stream', async () => {
  path = '-'
  const input = Readable.from(
    (function* () {
      yield tar.subarray(0, 100)
      throw new Error('the pipe broke')
    })(),
  )
  await expect(open(input)).rejects.toThrow('the pipe broke')
  expect(readdirSync(join(base, 'tmp'))).toEqual([])
})
