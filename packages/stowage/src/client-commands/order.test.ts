import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const app = '127.0.0.1:1/app:v1'

test.each([
  [
    ['artifact', 'push', 'a.txt', app],
    64,
    /the reference comes first[^]*stowage artifact push 127\.0\.0\.1:1\/app:v1 \S+a\.txt/,
  ],
  [['attach', 'a.txt', app], 64, /the reference comes first[^]*stowage attach 127\.0\.0\.1:1\/app:v1 \S+a\.txt/],
  [['push', 'nope.tar', app], 3, /There is no file "\S+nope\.tar"/],
  [
    ['push', 'a.txt', '127.0.0.1:1/app'],
    1,
    /\S+a\.txt" is no image[^]*stowage artifact push 127\.0\.0\.1:1\/app \S+a\.txt/,
  ],
  [['push', 'files', '127.0.0.1:1/app'], 1, /files" is no image[^]*stowage artifact push 127\.0\.0\.1:1\/app \S+files/],
  [['image', 'push', 'nope.tar', app], 3, /nope\.tar/],
])('%j blames what is wrong', async (words, code, message) => {
  await using directory = await temporaryDirectory()
  writeFileSync(join(directory.path, 'a.txt'), 'x'.repeat(2000))
  mkdirSync(join(directory.path, 'files'))
  const argv = words.map((word) => (/^(?:a\.txt|nope\.tar|files)$/.test(word) ? join(directory.path, word) : word))
  const result = await stowage([...argv, '--retries', '0'])
  expect(result).toMatchObject({ code, stdout: '' })
  expect(result.stderr).toMatch(message)
})

test('a word that is no file blames itself, and not the reference behind it', async () => {
  const result = await stowage(['push', 'nope', app, '--retries', '0'])
  expect(result).toMatchObject({ code: 3, stdout: '' })
  expect(result.stderr).toContain('There is no file "nope"')
})

test.each(['attach', 'artifact push'])(
  '%s with neither files nor annotations is a wrong command line',
  async (command) => {
    const result = await stowage([...command.split(' '), app])
    expect(result).toMatchObject({ code: 64, stdout: '' })
    expect(result.stderr).toMatch(/no file and no annotation/)
  },
)
