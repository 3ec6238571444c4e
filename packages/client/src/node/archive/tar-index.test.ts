import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isClientError } from '../../errors.ts'
import { paxRecords, type SampleEntry, sampleTar } from '../../testing/sample-tar.ts'
import { readTarIndex, type TarEntry } from './tar-index.ts'

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stowage-tar-'))
})

afterEach(() => rmSync(base, { recursive: true }))

const read = async (bytes: Uint8Array, links = false): Promise<ReadonlyMap<string, TarEntry>> => {
  const path = join(base, 'x.tar')
  writeFileSync(path, bytes)
  await using handle = await open(path)
  return await readTarIndex({ handle, size: bytes.byteLength, path: 'x.tar' }, { links })
}

const contents = (bytes: Uint8Array, entries: ReadonlyMap<string, TarEntry>): Record<string, string> =>
  Object.fromEntries(
    [...entries].map(([name, entry]) => [
      name,
      entry.kind === 'file'
        ? Buffer.from(bytes.subarray(entry.offset, entry.offset + entry.size)).toString()
        : entry.kind,
    ]),
  )

it('finds everything, and where it is', async () => {
  const bytes = sampleTar([
    { name: './', type: '5' },
    { name: './a', content: 'first' },
    { name: 'd/', type: '5' },
    { name: 'd/empty' },
    { name: 'd/large', content: 'x'.repeat(100_000) },
    { name: 'last', content: 'last' },
  ])
  const found = contents(bytes, await read(bytes))
  expect(found).toEqual({
    '': 'directory',
    a: 'first',
    d: 'directory',
    'd/empty': '',
    'd/large': 'x'.repeat(100_000),
    last: 'last',
  })
})

it('takes an archive without an end, and without the last padding', async () => {
  const bytes = sampleTar([{ name: 'a', content: 'x' }], 0)
  expect([...(await read(bytes)).keys()]).toEqual(['a'])
  expect([...(await read(bytes.subarray(0, 513))).keys()]).toEqual(['a'])
  expect((await read(Buffer.alloc(0))).size).toBe(0)
  expect((await read(Buffer.alloc(10_240))).size).toBe(0)
})

it('sees nothing behind the end, as no other program does', async () => {
  const bytes = Buffer.concat([sampleTar([{ name: 'a' }]), sampleTar([{ name: 'b' }])])
  expect([...(await read(bytes)).keys()]).toEqual(['a'])
})

it('takes a name twice when both mean the same', async () => {
  const bytes = sampleTar([
    { name: 'a', content: 'x'.repeat(40_000) },
    { name: 'd', type: '5' },
    { name: './a', content: 'x'.repeat(40_000) },
    { name: 'd/', type: '5' },
  ])
  expect([...(await read(bytes)).keys()]).toEqual(['a', 'd'])
})

it('takes links where they are let in, and only those that stay inside', async () => {
  const links = [
    { name: 'a/layer.tar', content: 'x' },
    { name: 'b/layer.tar', type: '2', linkname: '../a/layer.tar' },
    { name: 'c', type: '1', linkname: 'a/layer.tar' },
  ]
  const found = await read(sampleTar(links), true)
  expect(found.get('b/layer.tar')).toEqual({ kind: 'link', target: 'a/layer.tar' })
  expect(found.get('c')).toEqual({ kind: 'link', target: 'a/layer.tar' })
  for (const link of links.slice(1)) {
    await expect(read(sampleTar([link]))).rejects.toMatchObject({ code: 'invalid-content' })
    for (const linkname of ['/etc/passwd', '../../x', String.raw`..\x`]) {
      await expect(read(sampleTar([{ ...link, linkname }]), true)).rejects.toThrow('a link that leads out of it')
    }
  }
})

describe('refused is', () => {
  const cases: readonly (readonly [string, readonly SampleEntry[], string])[] = [
    ['a name that leads out', [{ name: '../x' }], 'leads out'],
    ['an absolute name', [{ name: '/x' }], 'leads out'],
    ['a name of Windows', [{ name: String.raw`a\x` }], 'leads out'],
    ['a file without a name', [{ name: './.', content: 'x' }], 'leads out'],
    ['a device', [{ name: 'x', type: '3' }], 'neither a file nor a directory'],
    ['a pipe', [{ name: 'x', type: '6' }], 'neither a file nor a directory'],
    ['an unknown type', [{ name: 'x', type: 'Z' }], 'neither a file nor a directory'],
    ['a sparse file of GNU', [{ name: 'x', type: 'S' }], 'neither a file nor a directory'],
    ['a directory with bytes', [{ name: 'x', type: '5', content: 'x' }], 'bytes that cannot have any'],
    [
      'another content under the same name',
      [
        { name: 'x', content: 'a' },
        { name: './x', content: 'b' },
      ],
      'twice',
    ],
    ['another length under the same name', [{ name: 'x', content: 'a' }, { name: 'x' }], 'twice'],
    ['a directory with the name of a file', [{ name: 'x' }, { name: 'x', type: '5' }], 'twice'],
    ['a global record', [{ name: 'g', type: 'g', content: paxRecords({ path: 'y' }) }, { name: 'x' }], 'global'],
    [
      'a sparse file by records',
      [{ name: 'p', type: 'x', content: paxRecords({ 'GNU.sparse.major': '1' }) }, { name: 'x' }],
      'different ways',
    ],
    [
      'a size that is no number',
      [
        { name: 'p', type: 'x', content: paxRecords({ size: '1x' }) },
        { name: 'x', content: 'x' },
      ],
      'different ways',
    ],
    [
      'a long name that leads out',
      [{ name: 'p', type: 'x', content: paxRecords({ path: '../x' }) }, { name: 'x' }],
      'leads out',
    ],
    ['a long name of GNU that leads out', [{ name: 'L', type: 'L', content: '../x\0' }, { name: 'x' }], 'leads out'],
    ['more bytes than there are', [{ name: 'x', size: 10_000 }], 'cut short'],
    ['a negative size', [{ name: 'x', size: '\u00FF\u00FF\u00FF\u00FF' }], 'x.tar'],
    ['a header of records of a wrong size', [{ name: 'x', type: 'x', size: 'nonsense' }], 'wrong size'],
    [
      'records that are too long',
      [{ name: 'x', type: 'x', content: 'x'.repeat(200_000) }, { name: 'x' }],
      'a header of more than',
    ],
    ['a damaged header', [{ name: 'x', isDamaged: true }], 'is damaged'],
    ['records before the end', [{ name: 'x', type: 'x', content: paxRecords({ path: 'y' }) }], 'block of zeros'],
  ]

  it.each(cases)('%s', async (_, entries, message) => {
    await expect(read(sampleTar(entries))).rejects.toMatchObject({
      code: 'invalid-content',
      message: expect.stringContaining(message),
    })
  })

  it('a block of zeros with something behind it', async () => {
    const bytes = Buffer.concat([sampleTar([{ name: 'a' }], 1), sampleTar([{ name: 'b' }])])
    await expect(read(bytes)).rejects.toThrow('block of zeros')
  })

  it('an archive that ends in a header', async () => {
    await expect(read(sampleTar([{ name: 'a' }], 0).subarray(0, 300))).rejects.toThrow('cut short')
  })

  it('an archive of too many entries', async () => {
    const one = sampleTar([{ name: 'a' }], 0)
    await expect(read(Buffer.concat(Array.from({ length: 100_001 }, () => one)))).rejects.toMatchObject({
      code: 'too-large',
    })
  })
})

it('stops when the signal says so', async () => {
  const path = join(base, 'x.tar')
  writeFileSync(path, sampleTar([{ name: 'a' }]))
  await using handle = await open(path)
  const index = readTarIndex({ handle, size: 1536, path }, { links: false, signal: AbortSignal.abort() })
  await expect(index).rejects.toMatchObject({ code: 'aborted' })
})

describe('whatever the bytes are', () => {
  const name = fc.oneof(
    fc.constantFrom('a', './a', '../a', '/a', 'blobs/sha256/x', 'oci-layout', 'b/', '', '.', String.raw`..\a`, 'c:a'),
    fc.string({ maxLength: 120 }),
  )
  const entry = fc.record(
    {
      name,
      type: fc.constantFrom('0', '\0', '1', '2', '3', '5', '6', '7', 'x', 'g', 'L', 'K', 'S', 'X', 'N', '?'),
      content: fc.oneof(
        fc.string({ maxLength: 600 }),
        fc.constant(paxRecords({ path: '../up', size: '3', linkpath: '/etc' })),
      ),
      linkname: name,
      size: fc.oneof(fc.nat(3000), fc.constantFrom('77777777777\0', '-1', '\u0080\u0000\u00FF', '9', ' 7 ')),
      magic: fc.constantFrom('ustar\u000000', 'ustar  \0', '', 'else'),
      isDamaged: fc.boolean(),
    },
    { requiredKeys: ['name'] },
  )
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })

  it('is read or refused, and no entry is outside of the archive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 5 }),
        fc.array(change, { maxLength: 3 }),
        fc.boolean(),
        fc.nat(3),
        async (entries, changes, links, end) => {
          const bytes = sampleTar(entries, end)
          for (const { at, byte } of changes) if (bytes.byteLength > 0) bytes[at % bytes.byteLength] = byte
          try {
            for (const [key, found] of await read(bytes, links)) {
              const targets = found.kind === 'link' ? [key, found.target] : [key]
              for (const target of targets) {
                expect(target).not.toMatch(/^\/|(?:^|\/)\.\.(?:\/|$)|\\|^[A-Za-z]:|\0/)
              }
              if (found.kind !== 'file') continue
              expect(found.offset % 512).toBe(0)
              expect(found.size).toBeGreaterThanOrEqual(0)
              expect(found.offset + found.size).toBeLessThanOrEqual(bytes.byteLength)
            }
          } catch (error) {
            if (!isClientError(error)) throw error
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})
