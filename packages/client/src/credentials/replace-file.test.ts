import { writeFileSync } from 'node:fs'
import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, stat, symlink } from 'node:fs/promises'
import { platform } from 'node:os'
import { afterEach, beforeEach, expect, it, test } from 'vitest'
import { createHome, type Home } from '../testing/credential-home.ts'
import { replaceFile } from './replace-file.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
})
afterEach(async () => home[Symbol.asyncDispose]())

const mode = async (...path: string[]): Promise<number> => (await stat(home.at(...path))).mode & 0o777

test.skipIf(platform() === 'win32')('makes directories and files that nobody else can read', async () => {
  await replaceFile(home.at('a', 'b', 'f'), (text) => {
    expect(text).toBeUndefined()
    return 'new'
  })
  expect(await home.read('a/b/f')).toBe('new')
  expect([await mode('a'), await mode('a', 'b'), await mode('a', 'b', 'f')]).toEqual([0o700, 0o700, 0o600])
  await chmod(home.at('a', 'b', 'f'), 0o644)
  await replaceFile(home.at('a', 'b', 'f'), (text) => `${text}er`)
  expect(await home.read('a/b/f')).toBe('newer')
  expect(await mode('a', 'b', 'f')).toBe(0o600)
})

it('puts another file in the place, with nothing beside it', async () => {
  await home.write('d/f', 'old')
  const before = await stat(home.at('d', 'f'))
  await replaceFile(home.at('d', 'f'), () => 'new')
  expect((await stat(home.at('d', 'f'))).ino).not.toBe(before.ino)
  expect(await readdir(home.at('d'))).toEqual(['f'])
})

it('leaves alone what is not changed', async () => {
  await home.write('f', 'old')
  const before = await stat(home.at('f'))
  await replaceFile(home.at('f'), (text) => text)
  await replaceFile(home.at('f'), () => undefined)
  await replaceFile(home.at('d', 'g'), () => undefined)
  expect(await stat(home.at('f'))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs })
  expect(await readdir(home.directory)).toEqual(['f'])
})

it('leaves everything as it was when the edit fails', async () => {
  await home.write('d/f', 'old')
  const edit = (): never => {
    throw new Error('no')
  }
  await expect(replaceFile(home.at('d', 'f'), edit)).rejects.toThrow('no')
  expect(await home.read('d/f')).toBe('old')
  expect(await readdir(home.at('d'))).toEqual(['f'])
  await replaceFile(home.at('d', 'f'), () => 'new')
  expect(await home.read('d/f')).toBe('new')
})

it('writes through symbolic links, also through one to a file that is not there', async () => {
  await home.write('real/f', 'old')
  await symlink('real/f', home.at('link'))
  await symlink(home.at('link'), home.at('link-to-link'))
  await replaceFile(home.at('link-to-link'), () => 'new')
  expect(await home.read('real/f')).toBe('new')
  expect(await readlink(home.at('link-to-link'))).toBe(home.at('link'))
  expect((await lstat(home.at('link'))).isSymbolicLink()).toBe(true)

  await symlink('later/f', home.at('dangling'))
  await replaceFile(home.at('dangling'), () => 'new')
  expect(await home.read('later/f')).toBe('new')
  expect((await lstat(home.at('dangling'))).isSymbolicLink()).toBe(true)
})

it('refuses a link to itself, a directory and a place below a file', async () => {
  await symlink(home.at('loop'), home.at('loop'))
  await mkdir(home.at('directory'))
  await home.write('f', 'old')
  for (const path of [home.at('loop'), home.at('directory'), home.at('f', 'g')]) {
    await expect(replaceFile(path, () => 'new')).rejects.toMatchObject({ code: 'invalid-content' })
  }
  expect(await home.read('f')).toBe('old')
})

test.skipIf(platform() === 'win32' || process.getuid?.() === 0)('says when it may not write', async () => {
  await home.write('d/f', 'old')
  await chmod(home.at('d'), 0o500)
  await expect(replaceFile(home.at('d', 'f'), () => 'new')).rejects.toThrow('cannot be written (EACCES)')
  await chmod(home.at('d'), 0o700)
})

test.skipIf(process.getuid?.() !== 0)("leaves somebody else's file to them, when root writes", async () => {
  await home.write('f', 'old')
  await chown(home.at('f'), 65_534, 65_534)
  await replaceFile(home.at('f'), () => 'new')
  expect(await stat(home.at('f'))).toMatchObject({ uid: 65_534, gid: 65_534 })
})

it('loses none of many edits at a time, by whatever path', async () => {
  await home.write('f', '')
  await symlink('f', home.at('link'))
  const edits = Array.from({ length: 20 }, async (_, index) =>
    replaceFile(home.at(index % 2 === 0 ? 'f' : 'link'), (text = '') => `${text}${index},`),
  )
  await Promise.all(edits)
  expect((await home.read('f')).split(',').filter(Boolean).toSorted()).toEqual(
    Array.from({ length: 20 }, (_, index) => String(index)).toSorted(),
  )
})

it('makes the edit anew when another program has written meanwhile', async () => {
  const path = await home.write('f', 'old')
  const seen: (string | undefined)[] = []
  await replaceFile(path, (text) => {
    seen.push(text)
    // The other program comes between the look and the rename.
    if (seen.length === 1) writeFileSync(path, 'theirs')
    return `${text} and ours`
  })
  expect(seen).toEqual(['old', 'theirs'])
  expect(await readFile(path, 'utf8')).toBe('theirs and ours')
})

it('makes the edit anew when another program has made the file meanwhile', async () => {
  const path = home.at('f')
  await replaceFile(path, (text) => {
    if (text === undefined) writeFileSync(path, 'theirs')
    return `${text} and ours`
  })
  expect(await readFile(path, 'utf8')).toBe('theirs and ours')
})

it('gives up where another program never stops writing', async () => {
  const path = await home.write('f', 'old')
  let count = 0
  const edit = (): string => {
    count += 1
    writeFileSync(path, `theirs${'!'.repeat(count)}`)
    return 'ours'
  }
  await expect(replaceFile(path, edit)).rejects.toMatchObject({ code: 'timeout' })
  expect(await home.read('f')).toMatch(/^theirs!+$/)
  expect(await readdir(home.directory)).toEqual(['f'])
})
