import { setTimeout as sleep } from 'node:timers/promises'
import { createTestRegistry, fail, hangAfterRequest, startMisbehavingRegistry } from '@stowage/testkit'
import { expect, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { pushImage, sampleImage } from '../testing/sample-image.ts'
import { resumeSending } from './resume-sending.ts'

test('a sync that finds nothing is not found', async () => {
  await using registry = await createTestRegistry()
  await pushImage(registry.url, 'app', sampleImage('one'), 'v1')
  const result = await stowage(['sync', `${registry.host}/app`, `${registry.host}/copy`, '--include', 'nope'])
  expect(result).toMatchObject({ code: 3, stdout: '' })
  expect(result.stderr).toContain('There is no image to copy: nothing in the source matches.')
})

test('a failure names the image once, and the same command is for what may pass', async () => {
  await using from = await startMisbehavingRegistry()
  await using to = await createTestRegistry()
  await pushImage(from.url, 'app', sampleImage('one'), 'v1')
  const argv = ['sync', `${from.host}/app`, `${to.host}/copy`, '--retries', '0']
  from.on({ method: 'GET', path: /blobs/ }, fail(404), { times: 5 })
  const lost = await stowage(argv)
  expect(lost).toMatchObject({ code: 3, stdout: '' })
  const [line = ''] = lost.stderr.split('\n').filter((one) => one.startsWith('failed'))
  expect(line.split(`${from.host}/app:v1`).length).toBeLessThanOrEqual(2)
  expect(lost.stderr).not.toContain('Run the same command again')
  const busy = await startMisbehavingRegistry()
  await using _ = busy
  await pushImage(busy.url, 'app', sampleImage('one'), 'v1')
  busy.on({ method: 'GET', path: /blobs/ }, fail(503))
  const later = await stowage(['sync', `${busy.host}/app`, `${to.host}/other`, '--retries', '0'])
  expect(later.stderr).toContain('Run the same command again for those')
})

test('on a terminal each image is said once', async () => {
  await using registry = await createTestRegistry()
  await pushImage(registry.url, 'app', sampleImage('one'), 'v1')
  const argv = ['sync', `${registry.host}/app`, `${registry.host}/copy`]
  const { stdout, stderr } = await stowage(argv, { tty: true })
  expect(stdout).toContain(`${registry.host}/copy:v1@sha256:`)
  expect(stderr).not.toContain('copied    ')
})

test('a copy that has nothing to do says so, and discover that nothing refers', async () => {
  await using registry = await createTestRegistry()
  await pushImage(registry.url, 'app', sampleImage('one'), 'v1')
  const again = ['cp', `${registry.host}/app:v1`, `${registry.host}/app:v2`]
  expect((await stowage(again)).stderr).toMatch(/^1 manifest copied, 2 blobs there already$/m)
  expect((await stowage(again)).stderr).toBe('nothing to copy, 1 manifest there already\n')
  const none = await stowage(['discover', `${registry.host}/app:v1`])
  expect(none).toMatchObject({ code: 0 })
  expect(none.stderr).toContain(`Nothing refers to ${registry.host}/app@sha256:`)
})

test('validate shows on a terminal what it reads', async () => {
  await using registry = await startMisbehavingRegistry()
  await pushImage(registry.url, 'app', sampleImage('one'), 'v1')
  registry.on({ method: 'GET', path: /blobs/ }, hangAfterRequest())
  const abort = new AbortController()
  const running = stowage(['validate', `${registry.host}/app:v1`], { tty: true, signal: abort.signal })
  await expect.poll(() => registry.seen({ method: 'GET', path: /blobs/ }).length).toBeGreaterThan(0)
  // Rows are drawn ten times a second.
  await sleep(300)
  abort.abort()
  expect((await running).stderr).toMatch(/sha256:[0-9a-f]{12} {2}\[ +\] {3}0 %/)
})

test('after Ctrl-C finished blobs are kept, and of an archive nothing', () => {
  expect(resumeSending(1)(['a', 'registry.example/b'])).toContain('finished blobs are not sent again')
  expect(resumeSending(1)(['a', 'oci-archive:b.tar'])).toContain('nothing of it is kept')
  expect(resumeSending(-1)([['a', 'docker-archive:b.tar']])).toContain('nothing of it is kept')
})
