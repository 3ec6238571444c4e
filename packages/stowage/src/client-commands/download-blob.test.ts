import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startMisbehavingRegistry } from '@stowage/testkit'
import { expect, test } from 'vitest'
import { runClientCommand } from '../testing/client-command.ts'
import { digestOf, pushBlob } from '../testing/push.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

test('two that go on where an earlier run was cut do not mix their bytes', async () => {
  await using directory = await temporaryDirectory()
  await using registry = await startMisbehavingRegistry()
  const at = (name: string): string => join(directory.path, name)
  const content = Array.from({ length: 20_000 }, (_, line) => `${line}\n`).join('')
  await pushBlob(registry.url, 'app', content)
  const digest = digestOf(content)
  writeFileSync(at(`layer.${digest.slice(7, 19)}.part`), content.slice(0, 50_000))
  const both = Promise.withResolvers<void>()
  let asked = 0
  registry.on({ method: 'GET', path: /blobs/ }, async (call, next) => {
    if (++asked === 2) both.resolve()
    await both.promise
    return next(call)
  })
  const get = async () => runClientCommand(['blob', 'get', `${registry.host}/app@${digest}`, '-o', at('layer')])
  const codes = (await Promise.all([get(), get()])).map(({ code }) => code)
  expect(codes.toSorted()).toEqual([0, 1])
  expect(readFileSync(at('layer'), 'utf8')).toBe(content)
})
