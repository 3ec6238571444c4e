import { execFile } from 'node:child_process'
import { mkdir, rename, rm, symlink, utimes } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it, test, vi } from 'vitest'
import { createHome, type Home } from '../testing/credential-home.ts'
import { cachedFile, readSmallFile } from './read-file.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
})
afterEach(async () => home[Symbol.asyncDispose]())

it('reads a file once, and again when it was written, replaced or removed', async () => {
  const parse = vi.fn((text: string) => text)
  const file = cachedFile(home.at('f'), parse)
  expect(await file()).toBeUndefined()

  await home.write('f', 'one')
  expect([await file(), await file()]).toEqual(['one', 'one'])
  expect(parse).toHaveBeenCalledTimes(1)

  await home.write('f', 'four')
  expect([await file(), await file()]).toEqual(['four', 'four'])
  expect(parse).toHaveBeenCalledTimes(2)

  // Of the same size: only the time tells.
  await home.write('f', 'five')
  await utimes(home.at('f'), 1, 1)
  expect(await file()).toBe('five')

  // Of the same size and time: it is another file.
  await home.write('g', 'nine')
  await utimes(home.at('g'), 1, 1)
  await rename(home.at('g'), home.at('f'))
  expect(await file()).toBe('nine')

  await rm(home.at('f'))
  expect(await file()).toBeUndefined()
})

it('does not keep what could not be parsed', async () => {
  await home.write('f', 'one')
  let fails = true
  const file = cachedFile(home.at('f'), (text) => {
    if (fails) throw new Error('no')
    return text
  })
  await expect(file()).rejects.toThrow('no')
  fails = false
  expect(await file()).toBe('one')
})

it('follows symbolic links', async () => {
  await home.write('f', 'one')
  await symlink('f', home.at('link'))
  expect(await readSmallFile(home.at('link'))).toMatchObject({ text: 'one' })
})

it('finds nothing below a file', async () => {
  await home.write('f', 'one')
  expect(await readSmallFile(home.at('f', 'g'))).toBeUndefined()
})

test.each<[string, string, (path: string) => Promise<unknown>]>([
  ['a directory', 'is not a file', async (path) => mkdir(path)],
  ['a pipe that nobody writes to', 'is not a file', async (path) => promisify(execFile)('mkfifo', [path])],
  ['a device without end', 'is not a file', async (path) => symlink('/dev/zero', path)],
  ['a link to itself', 'cannot be read (ELOOP)', async (path) => symlink(path, path)],
  ['a file of more than 1 MiB', 'has more than 1 MiB', async () => home.write('f', 'x'.repeat(1024 * 1024 + 1))],
  ['Latin-1', 'is not UTF-8', async () => promisify(execFile)('sh', ['-c', `printf '\\344' > '${home.at('f')}'`])],
])('refuses %s', async (_, problem, make) => {
  await make(home.at('f'))
  await expect(readSmallFile(home.at('f'))).rejects.toMatchObject({
    code: 'invalid-content',
    message: `${home.at('f')} ${problem}.`,
  })
})

it('takes 1 MiB', async () => {
  await home.write('f', 'x'.repeat(1024 * 1024))
  expect((await readSmallFile(home.at('f')))?.text.length).toBe(1024 * 1024)
})
