import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createTestRegistry } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runClientCommand } from '../testing/client-command.ts'
import { pushImage, sampleImage } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const image = sampleImage('one')

const setUp = async () => {
  const directory = await temporaryDirectory()
  const registry = await createTestRegistry()
  onTestFinished(async () => {
    await registry[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  await pushImage(registry.url, 'app', image, 'v1')
  const pipe = join(directory.path, 'pipe')
  execFileSync('mkfifo', [pipe])
  return { app: `${registry.host}/app`, pipe, directory: directory.path }
}

describe.skipIf(process.platform === 'win32')('what is no file', () => {
  test('is written to by pull, and nothing takes its place', async () => {
    const { app, pipe, directory } = await setUp()
    const reader = spawn('tar', ['t'], { stdio: [null, 'pipe', 'inherit'] })
    const source = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] })
    source.stdout.pipe(reader.stdin)
    let listed = ''
    reader.stdout.setEncoding('utf8').on('data', (text: string) => (listed += text))
    const closed = once(reader, 'close')
    expect(await runClientCommand(['pull', `${app}:v1`, pipe])).toMatchObject({
      code: 0,
      stdout: `${app}@${image.digest}\n`,
    })
    await closed
    expect(listed).toContain('manifest.json')
    expect(statSync(pipe).isFIFO()).toBe(true)
    expect(readdirSync(directory)).toEqual(['pipe'])
  })

  test.each([
    ['oci-archive', 'v1'],
    ['docker-archive', 'acme/app:v1'],
  ])('is no %s', async (scheme, name) => {
    const { app, pipe, directory } = await setUp()
    const result = await runClientCommand(['cp', `${app}:v1`, `${scheme}:${pipe}:${name}`])
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toContain(`${pipe} is no file`)
    expect(statSync(pipe).isFIFO()).toBe(true)
    expect(readdirSync(directory)).toEqual(['pipe'])
  })

  test.skipIf(!existsSync('/dev/full'))('is told to be full, without a stack', async () => {
    const { app } = await setUp()
    const result = await runClientCommand(['blob', 'get', `${app}@${image.layerDigest}`, '-o', '/dev/full'])
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/^stowage: ENOSPC: no space left on device, write\.\n$/)
  })
})
