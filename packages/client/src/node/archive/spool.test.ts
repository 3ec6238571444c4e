import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { spool } from './spool.ts'

const stream = () => Readable.from([Buffer.from('abc'), Buffer.from('de')])

it('keeps what a stream has', async () => {
  await using kept = await spool(stream(), undefined, 5)
  expect(kept.size).toBe(5)
  expect((await kept.handle.read(Buffer.alloc(9), 0, 9, 0)).buffer.subarray(0, 5).toString()).toBe('abcde')
})

it('takes no more than it may', async () => {
  await expect(spool(stream(), undefined, 4)).rejects.toMatchObject({ code: 'too-large' })
})
