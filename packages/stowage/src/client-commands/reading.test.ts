import { readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createTestRegistry, type TestRegistry } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { digestOf, pushManifest } from '../testing/push.ts'
import { pushImage, sampleImage, sampleIndex } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

let registry: TestRegistry
let app: string
const amd = sampleImage('amd')
const arm = sampleImage('arm', 'arm64')
const index = sampleIndex({ 'linux/amd64': amd, 'linux/arm64/v8': arm })

beforeAll(async () => {
  registry = await createTestRegistry()
  app = `${registry.host}/acme/app`
  await pushImage(registry.url, 'acme/app', amd, 'v1.0', 'v1.1', 'v2')
  await pushImage(registry.url, 'acme/app', arm)
  await pushManifest(registry.url, 'acme/app', 'all', index)
  await pushManifest(registry.url, 'acme/app', `sha256-${'a'.repeat(64)}.sig`, amd.manifest)
  await pushImage(registry.url, 'other', amd, 'latest')
})
afterAll(async () => registry[Symbol.asyncDispose]())

const scratch = async (): Promise<string> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  return directory.path
}

describe('stowage ls', () => {
  const tags = ['all', `sha256-${'a'.repeat(64)}.sig`, 'v1.0', 'v1.1', 'v2']

  test.each([
    ['', tags],
    ['--exclude-digest-tags', ['all', 'v1.0', 'v1.1', 'v2']],
    ['-O --limit 2', ['all', 'v1.0']],
    ['--omit-digest-tags --last v1.0', ['v1.1', 'v2']],
    ['--include v* --exclude v1.1', ['v1.0', 'v2']],
    [String.raw`--include /v\d/`, ['v2']],
    ['--limit 0', []],
  ])('%s', async (options, expected) => {
    const result = await stowage(['ls', app, ...options.split(' ').filter(Boolean)])
    expect(result).toMatchObject({ code: 0, stderr: '', stdout: expected.map((tag) => `${tag}\n`).join('') })
  })

  test('prints whole references, or JSON', async () => {
    expect((await stowage(['ls', '--full-ref', '--limit', '1', app])).stdout).toBe(`${app}:all\n`)
    const json = await stowage(['tag', 'ls', app, '--format', 'json', '--include', 'v*'])
    expect(JSON.parse(json.stdout)).toEqual({ repository: app, tags: ['v1.0', 'v1.1', 'v2'] })
    const template = await stowage([
      'list-tags',
      `docker://${app}`,
      '--format',
      String.raw`{{range .Tags}}{{.}}\n{{end}}`,
    ])
    expect(template.stdout.split('\n')).toContain('v1.1')
  })
})

describe('stowage catalog', () => {
  test.each([
    ['', '', ['acme/app', 'other']],
    ['/acme', '', ['acme/app']],
    ['', '--limit 1', ['acme/app']],
    ['', '--last acme/app', ['other']],
    ['', '--exclude acme/*', ['other']],
  ])('%s %s', async (namespace, options, expected) => {
    const result = await stowage(['catalog', `${registry.host}${namespace}`, ...options.split(' ').filter(Boolean)])
    expect(result).toMatchObject({ code: 0, stderr: '', stdout: expected.map((name) => `${name}\n`).join('') })
  })

  test('prints whole references, or JSON', async () => {
    expect((await stowage(['repo', 'ls', `${registry.url}/`, '--full-ref'])).stdout).toBe(
      `${app}\n${registry.host}/other\n`,
    )
    const { stdout } = await stowage(['catalog', registry.host, '--json'])
    expect(JSON.parse(stdout)).toEqual({ registry: registry.host, repositories: ['acme/app', 'other'] })
  })
})

describe('stowage ping', () => {
  test('says that the registry answers', async () => {
    expect(await stowage(['ping', registry.host])).toMatchObject({
      code: 0,
      stdout: `${registry.host} answers, and lets you in.\n`,
    })
    const { stdout } = await stowage(['ping', registry.host, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ registry: registry.host, ok: true })
  })
})

describe('stowage digest', () => {
  test.each([
    [['digest', 'v1.0'], amd.digest],
    [['resolve', 'all'], digestOf(index)],
    [['digest', 'all', '--platform', 'linux/arm64'], arm.digest],
    [['digest', 'all', '--platform', 'linux/amd64'], amd.digest],
    [['digest', 'v1.0', '--platform', 'linux/amd64'], amd.digest],
  ])('%j', async ([command = '', tag = '', ...options], expected) => {
    expect(await stowage([command, `${app}:${tag}`, ...options])).toMatchObject({ code: 0, stdout: `${expected}\n` })
    const full = await stowage([command, `${app}:${tag}`, ...options, '--full-ref'])
    expect(full.stdout).toBe(`${app}@${expected}\n`)
  })

  test('as JSON it is a descriptor', async () => {
    const { stdout } = await stowage(['digest', `${app}:v1.0`, '--json'])
    expect(JSON.parse(stdout)).toEqual({
      reference: `${app}@${amd.digest}`,
      digest: amd.digest,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: amd.manifest.length,
    })
  })

  test('a platform that is not there is named beside those that are', async () => {
    const result = await stowage(['digest', `${app}:all`, '--platform', 'linux/s390x'])
    expect(result).toMatchObject({ code: 3, stdout: '' })
    expect(result.stderr).toMatch(/has nothing for linux\/s390x\.\n {2}There is linux\/amd64, linux\/arm64\/v8\.\n$/)
  })
})

describe('stowage manifest', () => {
  test('prints the exact bytes', async () => {
    expect((await stowage(['manifest', `${app}:v1.0`])).stdout).toBe(amd.manifest)
    expect((await stowage(['manifest', 'get', `${app}:all`])).stdout).toBe(index)
    expect((await stowage(['manifest', 'fetch', '--platform', 'linux/arm64', `${app}:all`])).stdout).toBe(arm.manifest)
  })

  test('indents it, or prints what it is', async () => {
    const pretty = await stowage(['manifest', `${app}:v1.0`, '--pretty'])
    expect(pretty.stdout).toBe(`${JSON.stringify(JSON.parse(amd.manifest), undefined, 2)}\n`)
    const descriptor = { mediaType: JSON.parse(amd.manifest).mediaType, digest: amd.digest, size: amd.manifest.length }
    const printed = await stowage(['manifest', 'get', `${app}:v1.0`, '--descriptor'])
    expect(JSON.parse(printed.stdout)).toEqual(descriptor)
    const head = await stowage(['manifest', 'head', `${app}:v1.0`])
    expect(JSON.parse(head.stdout)).toEqual(descriptor)
    expect((await stowage(['manifest', 'head', `${app}:v1.0`, '--format', '{{.Digest}}'])).stdout).toBe(
      `${amd.digest}\n`,
    )
    const json = await stowage(['manifest', `${app}:v1.0`, '--format', 'json'])
    expect(JSON.parse(json.stdout)).toEqual({
      reference: `${app}@${amd.digest}`,
      ...descriptor,
      content: JSON.parse(amd.manifest),
    })
  })

  test('writes a file, which is there when it is whole', async () => {
    const file = join(await scratch(), 'manifest.json')
    writeFileSync(file, 'old')
    const result = await stowage(['manifest', 'get', `${app}:v1.0`, '-o', file])
    expect(result).toMatchObject({ code: 0, stdout: `${app}@${amd.digest}\n` })
    expect(readFileSync(file, 'utf8')).toBe(amd.manifest)
    expect(await readdir(join(file, '..'))).toEqual(['manifest.json'])
    expect((await stowage(['manifest', 'get', `${app}:v1.0`, '-o', '-'])).stdout).toBe(amd.manifest)
    expect((await stowage(['manifest', 'get', `${app}:v1.0`, '-o', '/dev/null'])).code).toBe(0)
  })

  test('shows a terminal nothing that it would obey', async () => {
    const evil = JSON.stringify({ ...JSON.parse(amd.manifest), annotations: { a: 'b\u009b2Jc' } })
    await pushManifest(registry.url, 'evil', 'x', evil)
    await pushImage(registry.url, 'evil', amd, 'good')
    expect((await pushManifest(registry.url, 'evil', 'x', evil)).status).toBe(201)
    expect((await stowage(['manifest', `${registry.host}/evil:x`], { tty: true })).stdout).toContain(
      String.raw`b\u009b2Jc`,
    )
    expect((await stowage(['manifest', `${registry.host}/evil:x`])).stdout).toBe(evil)
  })
})

describe('stowage config and inspect', () => {
  test('print the config of one image, byte for byte', async () => {
    expect((await stowage(['config', `${app}:v1.0`])).stdout).toBe(amd.config)
    expect((await stowage(['config', `${app}:all`, '--platform', 'linux/arm64'])).stdout).toBe(arm.config)
    const own = process.arch === 'arm64' ? arm : amd
    expect((await stowage(['config', `${app}:all`])).stdout).toBe(own.config)
    expect((await stowage(['inspect', '--config', '--raw', `${app}:v1.0`])).stdout).toBe(amd.config)
    expect((await stowage(['inspect', '--raw', `${app}:all`])).stdout).toBe(index)
    const env = await stowage(['config', `${app}:v1.0`, '--format', '{{json .config.Env}}'])
    expect(env.stdout).toBe('["NAME=amd"]\n')
  })

  test('inspect has the members that scripts know', async () => {
    const { stdout } = await stowage(['inspect', `docker://${app}:v1.0`])
    expect(JSON.parse(stdout)).toMatchObject({
      Name: app,
      Digest: amd.digest,
      RepoTags: expect.arrayContaining(['v1.0', 'v2']),
      Created: '2026-01-02T03:04:05Z',
      Architecture: 'amd64',
      Os: 'linux',
      Labels: { name: 'amd' },
      Layers: [amd.layerDigest],
      LayersData: [{ Digest: amd.layerDigest, Size: amd.layer.length }],
      Env: ['NAME=amd'],
    })
    const digest = await stowage(['inspect', '--format', '{{.Digest}}', '--no-tags', `${app}:all`])
    expect(digest.stdout).toBe(`${digestOf(index)}\n`)
  })
})

describe('in a layout and an archive', () => {
  test.each(['ocidir', 'oci-archive'])('%s', async (scheme) => {
    const { createClient } = await import('@stowage/client/node')
    const place = `${scheme}:${join(await scratch(), 'images')}`
    {
      await using client = createClient({ hosts: { [registry.host]: { plainHttp: true } } })
      await client.copy(`${app}:all`, `${place}:v1`).result
    }
    expect(await stowage(['ls', place])).toMatchObject({ code: 0, stdout: 'v1\n' })
    expect((await stowage(['digest', `${place}:v1`])).stdout).toBe(`${digestOf(index)}\n`)
    expect((await stowage(['manifest', `${place}:v1`])).stdout).toBe(index)
    if (scheme === 'ocidir') {
      const path = place.slice(scheme.length + 1)
      expect((await stowage(['digest', '--oci-layout', `${path}:v1`])).stdout).toBe(`${digestOf(index)}\n`)
      expect((await stowage(['ls', '--oci-layout', place])).stdout).toBe('v1\n')
    }
    expect((await stowage(['config', place, '--platform', 'linux/arm64'])).stdout).toBe(arm.config)
    expect((await stowage(['blob', `${place}@${arm.layerDigest}`])).stdout).toBe(arm.layer)
    const head = await stowage(['blob', 'head', `${place}@${arm.layerDigest}`])
    expect(JSON.parse(head.stdout)).toMatchObject({ digest: arm.layerDigest, size: arm.layer.length })
    expect(await stowage(['blob', `${place}@${digestOf('nothing')}`])).toMatchObject({ code: 3, stdout: '' })
    expect(await stowage(['manifest', `${place}:v2`])).toMatchObject({ code: 3, stdout: '' })
    expect(await stowage(['inspect', `${place}:v1`, '--platform', 'linux/amd64'])).toMatchObject({ code: 0 })
  })
})
