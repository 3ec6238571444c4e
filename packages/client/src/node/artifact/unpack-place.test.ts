import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, it, onTestFinished } from 'vitest'
import { defaultHash } from '../../hash.ts'
import { paxRecords, type SampleEntry, sampleTar } from '../../testing/sample-tar.ts'
import { temporaryDirectory } from '../../testing/temporary-directory.ts'
import { unpackDirectory, type UnpackLimits } from './unpack-directory.ts'

const unpack = async (entries: readonly SampleEntry[], limits: UnpackLimits = {}): Promise<readonly string[]> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  const root = join(directory.path, 'root')
  const tar = Readable.from([sampleTar(entries)])
  await unpackDirectory(tar, root, { title: 'd', digest: undefined, hash: defaultHash, limits })
  return (await readdir(root, { recursive: true })).toSorted()
}

it('counts the directories that only names tell of: one entry may want thousands', async () => {
  const deep = { name: `d/${'a/'.repeat(40)}x`, content: '' }
  await expect(unpack([deep], { entries: 40 })).rejects.toMatchObject({ code: 'too-large' })
  expect(await unpack([deep], { entries: 41 })).toHaveLength(41)
})

it('counts a directory once, whoever tells of it', async () => {
  const entries = [
    { name: 'd/', type: '5' },
    { name: 'd/a/x', content: '' },
    { name: 'd/a/y', content: '' },
    { name: 'd/a/h', type: '1', linkname: 'd/a/x' },
  ]
  expect(await unpack(entries, { entries: 5 })).toEqual(['a', 'a/h', 'a/x', 'a/y'])
  await expect(unpack(entries, { entries: 4 })).rejects.toMatchObject({ code: 'too-large' })
})

it('makes no link that is longer than any system takes, for it is in memory until the end', async () => {
  const link = (length: number): SampleEntry[] => [
    { name: 'pax', type: 'x', content: paxRecords({ linkpath: 'l'.repeat(length) }) },
    { name: 'd/link', type: '2', linkname: 'l' },
  ]
  expect(await unpack(link(200))).toEqual(['link'])
  await expect(unpack(link(5000))).rejects.toMatchObject({ code: 'refused' })
})
