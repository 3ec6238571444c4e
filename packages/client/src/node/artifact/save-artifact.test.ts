import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { digestOf } from '@stowage/oci'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ArtifactContent } from '../../artifact/pack-artifact.ts'
import { type PulledArtifact, pullArtifact } from '../../artifact/pull-artifact.ts'
import { pushArtifact } from '../../artifact/push-artifact.ts'
import { collect } from '../../content/pages.ts'
import { defaultHash } from '../../hash.ts'
import { createMemoryTarget } from '../../memory/memory-target.ts'
import { type SampleEntry, sampleTar } from '../../testing/sample-tar.ts'
import { temporaryDirectory } from '../../testing/temporary-directory.ts'
import { saveArtifact, type SaveArtifactOptions } from './save-artifact.ts'

const artifactOf = async (...files: readonly ArtifactContent[]): Promise<PulledArtifact> => {
  const target = createMemoryTarget()
  await pushArtifact(target, { artifactType: 'application/vnd.example.v1', files, tags: ['v1'] }).result
  return pullArtifact(target, 'v1')
}

/** A directory as somebody may have packed it, with or without good intentions. */
const directoryOf = (
  entries: readonly SampleEntry[],
  {
    title = 'd',
    pack = gzipSync,
    ...annotations
  }: { title?: string; pack?: (tar: Buffer) => Uint8Array } & Record<string, unknown> = {},
): ArtifactContent => ({
  title,
  content: pack(sampleTar(entries)),
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  annotations: { 'io.deis.oras.content.unpack': 'true', ...(annotations as Record<string, string>) },
})

/** A directory `in` of a new one: what leads out of it shows beside it. */
const place = async (): Promise<{ readonly above: string; readonly directory: string }> => {
  const made = await temporaryDirectory()
  onTestFinished(async () => made[Symbol.asyncDispose]())
  const directory = join(made.path, 'in')
  await mkdir(directory)
  return { above: made.path, directory }
}

const save = async (artifact: PulledArtifact, options: SaveArtifactOptions) => saveArtifact(artifact, options).result

/** Everything below a directory. */
const listed = async (directory: string): Promise<string[]> =>
  (await readdir(directory, { recursive: true })).toSorted()

describe('saving an artifact', () => {
  it('writes files below the directory, leaves what has no title, and tells of it', async () => {
    const { directory } = await place()
    const artifact = await artifactOf(
      { title: 'a/b/c.txt', content: 'c' },
      { content: 'nameless' },
      { title: 'd', content: '' },
    )
    const job = saveArtifact(artifact, { directory: join(directory, 'new/one') })
    const events = await collect(job)
    expect((await job.result).map(({ path, outcome }) => [path, outcome])).toEqual([
      [join(directory, 'new/one/a/b/c.txt'), 'written'],
      [undefined, 'untitled'],
      [join(directory, 'new/one/d'), 'written'],
    ])
    expect(await listed(join(directory, 'new/one'))).toEqual(['a', 'a/b', 'a/b/c.txt', 'd'])
    expect(events.filter(({ type }) => type === 'done')).toHaveLength(2)
    expect(events).toContainEqual(expect.objectContaining({ type: 'progress', sent: 1 }))
  })

  it('replaces old files unless told to keep them, and does not read again what is there', async () => {
    const { directory } = await place()
    const artifact = await artifactOf({ title: 'a', content: 'new' })
    await writeFile(join(directory, 'a'), 'old')
    await expect(save(artifact, { directory, keepOld: true })).rejects.toMatchObject({ code: 'exists' })
    expect(await readFile(join(directory, 'a'), 'utf8')).toBe('old')
    expect(await save(artifact, { directory })).toMatchObject([{ outcome: 'written' }])
    expect(await readFile(join(directory, 'a'), 'utf8')).toBe('new')
    const unreadable = artifact.files.map((file) => ({
      ...file,
      open: () => {
        throw new Error('read')
      },
    }))
    expect(await save({ ...artifact, files: unreadable }, { directory, keepOld: true })).toMatchObject([
      { outcome: 'existing' },
    ])
  })

  it.each(['../x', '/x', 'a/../../x', 'C:x', 'a\\..\\x', '..'])(
    'refuses the title %j before it writes anything',
    async (title) => {
      const { above, directory } = await place()
      const artifact = await artifactOf({ title: 'first', content: '1' }, { title, content: 'x' })
      await expect(save(artifact, { directory })).rejects.toMatchObject({ code: 'refused' })
      expect(await listed(above)).toEqual(['in'])
    },
  )

  it('never writes through a link that is there', async () => {
    const { above, directory } = await place()
    await mkdir(join(above, 'out'))
    await symlink('../out', join(directory, 'link'))
    await symlink('../out/file', join(directory, 'file'))
    await expect(save(await artifactOf({ title: 'link/x', content: 'x' }), { directory })).rejects.toMatchObject({
      code: 'refused',
    })
    await expect(
      save(await artifactOf(directoryOf([{ name: 'link/x', content: 'x' }], { title: 'link' })), { directory }),
    ).rejects.toMatchObject({ code: 'refused' })
    // The link itself is replaced.
    await save(await artifactOf({ title: 'file', content: 'x' }), { directory })
    expect((await lstat(join(directory, 'file'))).isFile()).toBe(true)
    expect(await listed(join(above, 'out'))).toEqual([])
  })

  it('refuses two files of one name, and a file where the directory is', async () => {
    const { directory } = await place()
    await expect(
      save(await artifactOf({ title: 'a', content: '1' }, { title: './a', content: '2' }), { directory }),
    ).rejects.toMatchObject({ code: 'invalid-content' })
    await expect(save(await artifactOf({ title: '.', content: '1' }), { directory })).rejects.toMatchObject({
      code: 'refused',
    })
    await mkdir(join(directory, 'a'))
    await expect(save(await artifactOf({ title: 'a', content: '1' }), { directory })).rejects.toMatchObject({
      code: 'exists',
    })
  })

  it('leaves nothing of a file whose bytes are wrong', async () => {
    const { directory } = await place()
    const artifact = await artifactOf({ title: 'a', content: 'right' }, directoryOf([{ name: 'd/x', content: 'x' }]))
    const broken = artifact.files.map((file) => ({
      ...file,
      async *open() {
        for await (const chunk of file.open()) yield chunk.subarray(0, 2)
        throw new Error('broken')
      },
    }))
    for (const file of broken) {
      await expect(save({ ...artifact, files: [file] }, { directory })).rejects.toThrow('broken')
    }
    expect(await listed(directory)).toEqual([])
  })
})

describe('unpacking a directory', () => {
  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['nothing', (tar: Buffer) => tar],
  ])('reads a tar packed with %s, whose entries are below the title or its last part', async (_, pack) => {
    const { directory } = await place()
    const entries = [
      { name: 'e/', type: '5' },
      { name: 'e/x', content: 'x' },
      { name: './e/y', content: 'y' },
    ]
    await save(await artifactOf(directoryOf(entries, { title: 'd/e', pack })), { directory })
    expect(await listed(directory)).toEqual(['d', 'd/e', 'd/e/x', 'd/e/y'])
    const full = [{ name: 'd/e/z', content: 'z' }]
    await save(await artifactOf(directoryOf(full, { title: 'd/e', pack })), { directory })
    expect(await listed(directory)).toEqual(['d', 'd/e', 'd/e/x', 'd/e/y', 'd/e/z'])
  })

  it('unpacks into the directory itself when that was pushed', async () => {
    const { directory } = await place()
    await save(await artifactOf(directoryOf([{ name: 'x', content: 'x' }], { title: '.' })), { directory })
    expect(await listed(directory)).toEqual(['x'])
  })

  it('makes links inside, and strips set-id bits', async () => {
    const { directory } = await place()
    const setuid = sampleTar([{ name: 'd/s', content: 's' }])
    setuid.write('0006755\0', 100)
    // The checksum is over the mode as well.
    const sum = setuid.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
    setuid.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    await save(await artifactOf({ ...directoryOf([]), content: setuid }), { directory })
    expect((await stat(join(directory, 'd/s'))).mode & 0o7777).toBe(0o755)
    const entries = [
      { name: 'd/sub/up', type: '2', linkname: '../file' },
      { name: 'd/file', content: 'f' },
      { name: 'd/hard', type: '1', linkname: 'd/file' },
    ]
    await save(await artifactOf(directoryOf(entries)), { directory })
    expect(await readlink(join(directory, 'd/sub/up'))).toBe('../file')
    expect((await stat(join(directory, 'd/hard'))).ino).toBe((await stat(join(directory, 'd/file'))).ino)
  })

  it.each<[string, SampleEntry[]]>([
    ['an absolute name', [{ name: '/x', content: 'x' }]],
    ['a name that leads out', [{ name: 'd/../../x', content: 'x' }]],
    ['a name beside the title', [{ name: 'x', content: 'x' }]],
    ['a link that leads out', [{ name: 'd/l', type: '2', linkname: '../..' }]],
    ['an absolute link', [{ name: 'd/l', type: '2', linkname: '/etc' }]],
    [
      'a link that leads out by way of another',
      [
        { name: 'd/l', type: '2', linkname: '.' },
        { name: 'd/m', type: '2', linkname: 'l/../..' },
      ],
    ],
    ['a hard link out', [{ name: 'd/h', type: '1', linkname: '/etc/passwd' }]],
    [
      'a hard link to what is not there yet',
      [
        { name: 'd/h', type: '1', linkname: 'd/x' },
        { name: 'd/x', content: 'x' },
      ],
    ],
    [
      'a hard link to a link',
      [
        { name: 'd/l', type: '2', linkname: 'x' },
        { name: 'd/h', type: '1', linkname: 'd/l' },
      ],
    ],
    ['a character device', [{ name: 'd/c', type: '3' }]],
    ['a block device', [{ name: 'd/b', type: '4' }]],
    ['a pipe', [{ name: 'd/p', type: '6' }]],
    ['a file that is the directory', [{ name: 'd', content: 'x' }]],
  ])('refuses %s, and leaves nothing', async (_, entries) => {
    const { above, directory } = await place()
    const artifact = await artifactOf(directoryOf([{ name: 'd/first', content: '1' }, ...entries]))
    await expect(save(artifact, { directory })).rejects.toMatchObject({ code: 'refused' })
    expect(await listed(above)).toEqual(['in'])
  })

  it.each<[string, SampleEntry[]]>([
    [
      'a file twice',
      [
        { name: 'd/x', content: '1' },
        { name: 'd/x', content: '2' },
      ],
    ],
    [
      'a file in the place of a link',
      [
        { name: 'd/x', type: '2', linkname: 'y' },
        { name: 'd/x', content: '2' },
      ],
    ],
    [
      'a link twice',
      [
        { name: 'd/x', type: '2', linkname: 'y' },
        { name: 'd/x', type: '2', linkname: 'z' },
      ],
    ],
    ['a damaged header', [{ name: 'd/x', content: '1', isDamaged: true }]],
  ])('says of %s that it is no good', async (_, entries) => {
    const { above, directory } = await place()
    await expect(save(await artifactOf(directoryOf(entries)), { directory })).rejects.toMatchObject({
      code: 'invalid-content',
    })
    expect(await listed(above)).toEqual(['in'])
  })

  it('does not let a file be written through a link of the same tar', async () => {
    const { above, directory } = await place()
    const entries = [
      { name: 'd/l', type: '2', linkname: 'sub' },
      { name: 'd/l/x', content: 'x' },
    ]
    await expect(save(await artifactOf(directoryOf(entries)), { directory })).rejects.toMatchObject({
      code: 'invalid-content',
    })
    expect(await listed(above)).toEqual(['in'])
  })

  it('stops at the limits', async () => {
    const { directory } = await place()
    const entries = [
      { name: 'd/a', content: 'x'.repeat(1000) },
      { name: 'd/b', content: 'x'.repeat(1000) },
    ]
    const artifact = await artifactOf(directoryOf(entries))
    for (const limits of [{ bytes: 1999 }, { entries: 1 }]) {
      await expect(save(artifact, { directory, limits })).rejects.toMatchObject({ code: 'too-large' })
    }
    // Not only what is said to be content counts.
    const zeros = await artifactOf({ ...directoryOf([]), content: gzipSync(Buffer.alloc(1_000_000)) })
    await expect(save(zeros, { directory, limits: { bytes: 10, entries: 10 } })).rejects.toMatchObject({
      code: 'too-large',
    })
    expect(await listed(directory)).toEqual([])
    await save(artifact, { directory, limits: { bytes: 2000, entries: 2 } })
    expect(await listed(directory)).toEqual(['d', 'd/a', 'd/b'])
  })

  it('holds the tar against its own digest', async () => {
    const { directory } = await place()
    const entries = [{ name: 'd/x', content: 'x' }]
    const key = 'io.deis.oras.content.digest'
    const right = directoryOf(entries, { [key]: digestOf(sampleTar(entries), defaultHash) })
    await save(await artifactOf(right), { directory })
    const wrong = directoryOf(entries, { title: 'w', [key]: digestOf(new Uint8Array(1), defaultHash) })
    await expect(
      save(await artifactOf({ ...wrong, title: 'd' }), { directory: join(directory, 'n') }),
    ).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(await listed(directory)).toEqual(['d', 'd/x', 'n'])
  })

  it('says of what is no tar at all, or cut short, that it cannot be unpacked', async () => {
    const { directory } = await place()
    for (const content of [
      gzipSync(Buffer.from('no tar')),
      Buffer.from('no tar'),
      gzipSync(sampleTar([{ name: 'd/x', content: 'x' }])).subarray(0, 40),
    ]) {
      await expect(save(await artifactOf({ ...directoryOf([]), content }), { directory })).rejects.toMatchObject({
        code: 'invalid-content',
      })
    }
    expect(await listed(directory)).toEqual([])
  })

  it('keeps old files when told to, moving nothing', async () => {
    const { directory } = await place()
    await mkdir(join(directory, 'd'))
    await writeFile(join(directory, 'd/b'), 'old')
    const artifact = await artifactOf(
      directoryOf([
        { name: 'd/a', content: 'a' },
        { name: 'd/b', content: 'b' },
      ]),
    )
    await expect(save(artifact, { directory, keepOld: true })).rejects.toMatchObject({
      code: 'exists',
      subject: join(directory, 'd/b'),
    })
    expect(await listed(directory)).toEqual(['d', 'd/b'])
    await save(artifact, { directory })
    expect(await readFile(join(directory, 'd/b'), 'utf8')).toBe('b')
  })

  it('can be left, and the packed file kept', async () => {
    const { directory } = await place()
    await save(await artifactOf(directoryOf([{ name: 'd/a', content: 'a' }])), { directory, keepPacked: true })
    expect((await stat(join(directory, 'd'))).isFile()).toBe(true)
  })
})
