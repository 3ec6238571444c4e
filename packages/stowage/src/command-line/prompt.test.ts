import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { runClientCommand } from '../testing/client-command.ts'

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
