import { expect, it } from 'vitest'
import { sampleTar } from '../../testing/sample-tar.ts'
import { decodeHeader, encodeHeader, paddingOf } from './tar-header.ts'

it.each([
  ['index.json', 'file', 5],
  ['blobs/', 'directory', 0],
  ['empty', 'file', 0],
  [`blobs/sha512/${'a'.repeat(128)}`, 'file', 5],
  ['large', 'file', 20 * 1024 ** 3],
  ['é', 'file', 1],
] as const)('reads what it wrote: %s', async (name, type, size) => {
  const bytes = await encodeHeader(name, type, size)
  expect(bytes.byteLength % 512).toBe(0)
  expect(await decodeHeader(bytes)).toMatchObject({ name, type, size })
})

it('writes the same for the same, whenever that is', async () => {
  const one = await encodeHeader('a', 'file', 1)
  expect(await encodeHeader('a', 'file', 1)).toEqual(one)
  expect(await decodeHeader(one)).toMatchObject({
    mtime: new Date(0),
    uid: 0,
    gid: 0,
    mode: 0o644,
    uname: '',
    gname: '',
  })
})

it.each([
  ['nothing', Buffer.alloc(0)],
  ['zeros', Buffer.alloc(512)],
  ['a part', sampleTar([{ name: 'a' }], 0).subarray(0, 100)],
  ['noise', Buffer.alloc(512, 65)],
  ['a damaged header', sampleTar([{ name: 'a', isDamaged: true }], 0)],
  ['an unknown format', sampleTar([{ name: 'a', magic: 'else' }], 0)],
  ['a header and more', sampleTar([{ name: 'a', content: 'x' }], 0)],
  ['records without a header', sampleTar([{ name: 'a', type: 'x', content: '9 path=b\n' }], 0)],
])('refuses %s', async (_, bytes) => {
  await expect(decodeHeader(bytes)).rejects.toThrow()
})

it('counts what is missing to the next block', () => {
  expect([0, 1, 511, 512, 513].map(paddingOf)).toEqual([0, 511, 1, 0, 511])
})
