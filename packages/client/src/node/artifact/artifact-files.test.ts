import { chmod, mkdir, readFile, readlink, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { digestOf } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { packArtifact } from '../../artifact/pack-artifact.ts'
import { pullArtifact } from '../../artifact/pull-artifact.ts'
import { pushArtifact } from '../../artifact/push-artifact.ts'
import { readAll } from '../../content/verify.ts'
import { defaultHash } from '../../hash.ts'
import { createMemoryTarget } from '../../memory/memory-target.ts'
import { runProgram } from '../../testing/run-program.ts'
import { temporaryDirectory } from '../../testing/temporary-directory.ts'
import { openArtifactFiles } from './artifact-files.ts'
import { saveArtifact } from './save-artifact.ts'

const artifactType = 'application/vnd.example.files.v1'

const fill = async (root: string): Promise<void> => {
  await mkdir(join(root, 'dir/deep'), { recursive: true })
  await mkdir(join(root, 'dir/empty'), { mode: 0o750 })
  await writeFile(join(root, 'a.txt'), 'a')
  await writeFile(join(root, 'dir/run.sh'), '#!/bin/sh\n', { mode: 0o755 })
  await writeFile(join(root, 'dir/deep/none'), '')
  await writeFile(join(root, 'dir/deep', 'long'.repeat(50)), 'x'.repeat(100_000))
  await symlink('../run.sh', join(root, 'dir/deep/link'))
}

describe('files of the disk', () => {
  it('become parts of an artifact, and files again elsewhere', async () => {
    await using from = await temporaryDirectory()
    await using to = await temporaryDirectory()
    await fill(from.path)
    const target = createMemoryTarget()
    {
      const wanted = [
        { path: 'a.txt', mediaType: 'text/plain' },
        { path: './dir/', mediaType: undefined },
      ]
      await using opened = await openArtifactFiles(wanted, {
        directory: from.path,
        annotations: { 'a.txt': { a: 'b' } },
      })
      expect(opened.files.map(({ title, mediaType }) => [title, mediaType])).toEqual([
        ['a.txt', 'text/plain'],
        ['dir', 'application/vnd.oci.image.layer.v1.tar+gzip'],
      ])
      expect(opened.files[0]?.annotations).toEqual({ a: 'b' })
      expect(opened.files[1]?.annotations).toMatchObject({ 'io.deis.oras.content.unpack': 'true' })
      await pushArtifact(target, { artifactType, files: opened.files, tags: ['v1'] }).result
    }
    const saved = await saveArtifact(await pullArtifact(target, 'v1'), { directory: to.path }).result
    expect(saved.map(({ title, outcome }) => [title, outcome])).toEqual([
      ['a.txt', 'written'],
      ['dir', 'written'],
    ])
    expect(await readFile(join(to.path, 'a.txt'), 'utf8')).toBe('a')
    expect(await readFile(join(to.path, 'dir/run.sh'), 'utf8')).toBe('#!/bin/sh\n')
    expect((await stat(join(to.path, 'dir/run.sh'))).mode & 0o777).toBe(0o755)
    expect((await stat(join(to.path, 'dir/empty'))).mode & 0o777).toBe(0o750)
    expect(await readlink(join(to.path, 'dir/deep/link'))).toBe('../run.sh')
    expect((await readFile(join(to.path, 'dir/deep', 'long'.repeat(50)))).byteLength).toBe(100_000)
    expect(await runProgram('find', to.path, '-name', '.stowage-*')).toHaveLength(0)
  })

  it('make the same bytes whenever they are packed, and a tar that others read', async () => {
    await using from = await temporaryDirectory()
    await fill(from.path)
    const pack = async (modified?: Date) => {
      const options = { directory: from.path, ...(modified === undefined ? {} : { modified }) }
      await using opened = await openArtifactFiles([{ path: 'dir', mediaType: undefined }], options)
      const { descriptor } = await packArtifact({ artifactType, files: opened.files })
      const [file] = opened.files
      const content = file?.content as { open(): AsyncIterable<Uint8Array> }
      const tar = gunzipSync(await readAll(content.open(), 1e6, 'tar'))
      expect(digestOf(tar, defaultHash)).toBe(file?.annotations?.['io.deis.oras.content.digest'])
      return { descriptor, tar }
    }
    const first = await pack()
    await utimes(join(from.path, 'dir/run.sh'), 1e9, 1e9)
    await utimes(join(from.path, 'dir'), 1e9, 1e9)
    expect((await pack()).descriptor).toEqual(first.descriptor)
    expect((await pack(new Date(86_400_000))).descriptor).not.toEqual(first.descriptor)

    await writeFile(join(from.path, 'x.tar'), first.tar)
    const listed = String(await runProgram('tar', '--numeric-owner', '--utc', '-tvf', join(from.path, 'x.tar')))
    const lines = listed.trim().split('\n')
    expect(lines.every((line) => / 0\/0 .* 1970-01-01 00:00 dir\//.test(line))).toBe(true)
    expect(lines.map((line) => line.replace(/.*00:00 /, '').replace(/(long)+/, 'long'))).toEqual([
      'dir/',
      'dir/deep/',
      'dir/deep/link -> ../run.sh',
      'dir/deep/long',
      'dir/deep/none',
      'dir/empty/',
      'dir/run.sh',
    ])
    expect(lines.at(-1)).toMatch(/^-rwxr-xr-x /)
  })

  it('are refused when they lead out, are nothing to pack, or would be called the same', async () => {
    await using from = await temporaryDirectory()
    await fill(from.path)
    const open = async (...paths: string[]) => {
      await using opened = await openArtifactFiles(
        paths.map((path) => ({ path, mediaType: undefined })),
        { directory: from.path },
      )
      return opened.files
    }
    await expect(open('missing')).rejects.toMatchObject({ code: 'not-found' })
    await expect(open('a.txt', './a.txt')).rejects.toMatchObject({ code: 'usage' })
    await symlink('../../a.txt', join(from.path, 'dir/deep/out'))
    await expect(open('dir')).rejects.toMatchObject({
      code: 'invalid-content',
      subject: join(from.path, 'dir/deep/out'),
    })
    await runProgram('mkfifo', join(from.path, 'pipe'))
    await mkdir(join(from.path, 'other'))
    await runProgram('mkfifo', join(from.path, 'other/pipe'))
    await expect(open('other')).rejects.toMatchObject({
      code: 'invalid-content',
      subject: join(from.path, 'other/pipe'),
    })
    await expect(open('pipe')).rejects.toMatchObject({ code: 'invalid-content' })
  })

  it.skipIf(process.platform === 'win32')('are not pushed by names that are refused when they are pulled', async () => {
    await using from = await temporaryDirectory()
    await mkdir(join(from.path, 'units'))
    for (const name of [String.raw`a\x2db`, 'units/a\nb']) {
      await writeFile(join(from.path, name), '')
      const [path = ''] = name.split('/')
      const opened = openArtifactFiles([{ path, mediaType: undefined }], { directory: from.path })
      await expect(opened).rejects.toMatchObject({ code: 'invalid-content' })
    }
  })

  it('may be a directory that cannot be read', async () => {
    await using from = await temporaryDirectory()
    await fill(from.path)
    await chmod(join(from.path, 'dir/deep'), 0)
    const opened = openArtifactFiles([{ path: 'dir', mediaType: undefined }], { directory: from.path })
    // Root reads everything.
    if (process.getuid?.() === 0) await (await opened)[Symbol.asyncDispose]()
    else await expect(opened).rejects.toMatchObject({ code: 'denied' })
    await chmod(join(from.path, 'dir/deep'), 0o755)
  })

  it('stop being packed when told to', async () => {
    await using from = await temporaryDirectory()
    await fill(from.path)
    const opened = openArtifactFiles([{ path: 'dir', mediaType: undefined }], {
      directory: from.path,
      signal: AbortSignal.abort(),
    })
    await expect(opened).rejects.toMatchObject({ code: 'aborted' })
  })
})
