import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { runClientCommand } from '../testing/client-command.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

test.each([
  [['login', 'localhost:1', '-u', 'me', '--password-stdin']],
  [['sync', '--from', '-', 'localhost:1/']],
  [['blob', 'push', 'localhost:1/app']],
])('Ctrl-C ends the wait for stdin: %j', async (argv) => {
  const stop = new AbortController()
  const stdin = new PassThrough({
    // Somebody waits for bytes.
    read: () => stop.abort(),
  })
  expect(await runClientCommand(argv, { stdin, signal: stop.signal })).toMatchObject({ code: 130, stdout: '' })
})

test('a password on stdin is UTF-8, with or without a mark in front', async () => {
  const add = async (stdin: Uint8Array): ReturnType<typeof runClientCommand> => {
    await using directory = await temporaryDirectory()
    return await runClientCommand(['user', 'add', 'ada', '--password-stdin', '--data', directory.path], { stdin })
  }
  // With the mark it would be long enough.
  expect(await add(Buffer.from('\ufeffhunter2'))).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('8') as string,
  })
  expect(await add(Buffer.from('corr\u00e9ct horse', 'latin1'))).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('stdin is not text in UTF-8') as string,
  })
  expect(await add(Buffer.from('corr\u00e9ct horse'))).toMatchObject({ code: 0 })
})
