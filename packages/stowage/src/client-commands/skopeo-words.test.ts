import { createTestRegistry, startMisbehavingRegistry } from '@stowage/testkit'
import { expect, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { pushManifest } from '../testing/push.ts'
import { pushImage, sampleImage, sampleIndex } from '../testing/sample-image.ts'
import { thisPlatform } from './open-image.ts'

test('copy takes --all, --multi-arch and --preserve-digests', async () => {
  await using registry = await createTestRegistry()
  const own = sampleImage('own', thisPlatform().split('/')[1])
  const other = sampleImage('other', 's390x')
  await pushImage(registry.url, 'app', own)
  await pushImage(registry.url, 'app', other)
  await pushManifest(registry.url, 'app', 'v1', sampleIndex({ [thisPlatform()]: own, 'linux/s390x': other }))
  const from = `docker://${registry.host}/app:v1`
  const { stdout: digest } = await stowage(['digest', from])
  const copy = async (...options: string[]) => stowage(['copy', from, `docker://${registry.host}/copy:v1`, ...options])
  for (const options of [['--all'], ['--multi-arch', 'all'], ['--multi-arch=all', '--preserve-digests']]) {
    expect((await copy(...options)).stdout).toBe(`${registry.host}/copy@${digest}`)
  }
  expect((await copy('--multi-arch', 'system')).stdout).toBe(`${registry.host}/copy@${own.digest}\n`)
  const both = ['--platform', thisPlatform(), '--platform', 'linux/s390x']
  expect(await copy('--all', ...both)).toMatchObject({ code: 64 })
  expect(await copy('--preserve-digests', ...both)).toMatchObject({ code: 64 })
})

test('inspect --no-creds shows none', async () => {
  await using registry = await startMisbehavingRegistry()
  await pushImage(registry.url, 'app', sampleImage('one'), 'v1')
  const image = `docker://${registry.host}/app:v1`
  expect(await stowage(['inspect', '--no-creds', '--no-tags', image])).toMatchObject({ code: 0 })
  await using closed = await startMisbehavingRegistry({ auth: { scheme: 'basic', users: { me: 'x' } } })
  const environment = { STOWAGE_REGISTRY: closed.host, STOWAGE_USERNAME: 'me', STOWAGE_PASSWORD: 'x' }
  const place = `${closed.host}/app:v1`
  expect(await stowage(['inspect', place], { environment })).toMatchObject({ code: 3 })
  expect(await stowage(['inspect', '--no-creds', place], { environment })).toMatchObject({ code: 4 })
})
