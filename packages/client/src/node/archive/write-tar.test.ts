import { expect, it } from 'vitest'
import { bytesPart, type TarPart, writeTar } from './write-tar.ts'

const write = async (parts: readonly TarPart[]): Promise<Buffer> => {
  const written: Buffer[] = []
  await writeTar(parts, async (bytes) => void written.push(Buffer.from(bytes)))
  return Buffer.concat(written)
}

it('writes directories before what is in them, each once, and ends in zeros', async () => {
  const bytes = await write([
    bytesPart('a/b/c', Buffer.from('x')),
    bytesPart('a/b/d', Buffer.alloc(512)),
    bytesPart('e', Buffer.alloc(0)),
  ])
  const names = Array.from({ length: bytes.byteLength / 512 }, (_, at) =>
    bytes.toString('latin1', at * 512, at * 512 + 6),
  )
  expect(names.map((name) => name.replace(/\0.*/s, ''))).toEqual(['a/', 'a/b/', 'a/b/c', 'x', 'a/b/d', '', 'e', '', ''])
})

it.each([4, 6])('does not go on after a part of 5 bytes that has %i', async (count) => {
  const part: TarPart = {
    name: 'x',
    size: 5,
    async *read() {
      yield Buffer.alloc(count)
    },
  }
  await expect(write([part])).rejects.toMatchObject({ code: 'digest-mismatch' })
})
