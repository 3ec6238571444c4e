import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTestRegistry, startMisbehavingRegistry, flipByte } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientResult, runClientCommand } from '../testing/client-command.ts'
import { digestOf, pushManifest } from '../testing/push.ts'
import { pushImage, sampleImage, sampleIndex } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const one = sampleImage('one')
const two = sampleImage('two')
const arm = sampleImage('one', 'arm64')
const index = sampleIndex({ 'linux/amd64': one, 'linux/arm64': arm })

const stowage = async (...argv: readonly string[]): Promise<ClientResult> => runClientCommand(argv)

const setUp = async () => {
  const directory = await temporaryDirectory()
  const registry = await createTestRegistry({ manifests: { allowMissingBlobs: true } })
  onTestFinished(async () => {
    await registry[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  await pushImage(registry.url, 'app', one, 'v1')
  await pushImage(registry.url, 'app', two, 'v2')
  await pushImage(registry.url, 'app', arm)
  await pushManifest(registry.url, 'app', 'multi', index)
  return { registry, app: `${registry.host}/app`, at: (name: string) => join(directory.path, name) }
}

const sizeOf = (...parts: readonly string[]): number =>
  [...new Set(parts)].reduce((sum, part) => sum + Buffer.byteLength(part), 0)
const all = ({ manifest, config, layer }: typeof one): string[] => [manifest, config, layer]

describe('stowage validate', () => {
  test('says that what is whole is whole', async () => {
    const { app } = await setUp()
    const result = await stowage('validate', `${app}:multi`)
    expect(result).toMatchObject({ code: 0 })
    expect(result.stdout).toMatch(new RegExp(`^${app}:multi is valid: 6 parts, .*\n$`))
    expect(result.stderr).toMatch(/^right {5}sha256:/m)
    const fast = await stowage('validate', '--fast', `${app}:multi`, '--json')
    const value = JSON.parse(fast.stdout) as { findings: { role: string; where: string }[] }
    expect(value).toMatchObject({ valid: true, fast: true, bytes: sizeOf(index, ...all(one), ...all(arm)) })
    expect(value.findings.find(({ where }) => where === 'linux/arm64 config')).toMatchObject({ role: 'config' })
    expect((await stowage('validate', '--remote', `${app}:v1`)).code).toBe(0)
  })

  test('finds what a registry lacks, each platform for itself', async () => {
    const { registry, app } = await setUp()
    const broken = JSON.parse(one.manifest) as { layers: { digest: string }[] }
    const gone = digestOf('gone')
    const manifest = JSON.stringify({ ...broken, layers: broken.layers.map((layer) => ({ ...layer, digest: gone })) })
    await pushManifest(registry.url, 'app', 'broken', manifest)
    for (const options of [[], ['--fast']]) {
      const result = await stowage('validate', `${app}:broken`, ...options)
      expect(result.code).toBe(3)
      expect(result.stdout).toMatch(new RegExp(`^problem  missing {6}layers\\[0\\]  ${gone}\n  `))
      expect(result.stderr).toContain(`One thing is wrong with ${app}:broken.`)
    }
    const mixed = sampleIndex({ 'linux/amd64': one, 'linux/arm64': { ...one, manifest, digest: digestOf(manifest) } })
    await pushManifest(registry.url, 'app', 'mixed', mixed)
    expect((await stowage('validate', `${app}:mixed`)).stdout).toContain('linux/arm64 layers[0]')
    expect((await stowage('validate', `${app}:mixed`, '--platform', 'linux/amd64')).code).toBe(0)
  })

  test('finds bytes that are altered on the way', async () => {
    await using registry = await startMisbehavingRegistry()
    await pushImage(registry.url, 'app', one, 'v1')
    registry.on({ method: 'GET', path: new RegExp(`blobs/${one.layerDigest}`) }, flipByte(3))
    const result = await stowage('validate', `${registry.host}/app:v1`)
    expect(result.code).toBe(7)
    expect(result.stdout).toMatch(/^problem {2}damaged/)
    expect((await stowage('validate', '--fast', `${registry.host}/app:v1`)).code).toBe(0)
  })

  test('finds what is missing, cut short and altered in a layout and in an archive', async () => {
    const { app, at } = await setUp()
    const layout = `ocidir:${at('layout')}`
    await stowage('cp', `${app}:v1`, `${layout}:v1`)
    await stowage('image', 'pull', '--format', 'oci', `${app}:v1`, at('app.tar'))
    expect((await stowage('validate', layout)).code).toBe(0)
    expect((await stowage('validate', '--tarball', at('app.tar'))).code).toBe(0)
    const blob = at(`layout/blobs/sha256/${one.layerDigest.slice(7)}`)
    const harm: [() => void, number][] = [
      [() => appendFileSync(blob, 'more'), 7],
      [() => truncateSync(blob, 3), 7],
      [() => writeFileSync(blob, one.layer.toUpperCase()), 7],
      [() => rmSync(blob), 3],
    ]
    for (const [spoil, code] of harm) {
      spoil()
      expect(await stowage('validate', `${layout}:v1`)).toMatchObject({ code })
    }
    const text = readFileSync(at('app.tar'))
    const place = text.indexOf(one.layer)
    text.write('X', place)
    writeFileSync(at('app.tar'), text)
    expect(await stowage('validate', `oci-archive:${at('app.tar')}`)).toMatchObject({ code: 7 })
    writeFileSync(at('app.tar'), text.subarray(0, place))
    expect(await stowage('validate', `oci-archive:${at('app.tar')}`)).toMatchObject({ code: 1, stdout: '' })
  })

  test('one reference is wanted', async () => {
    expect(await stowage('validate')).toMatchObject({ code: 64 })
    expect(await stowage('validate', 'a.example/x', '--tarball', 'x.tar')).toMatchObject({ code: 64 })
  })
})

describe('stowage du', () => {
  test('shows what tags share, and what each has alone', async () => {
    const { app } = await setUp()
    const result = await stowage('du', app, '-b')
    expect(result).toMatchObject({ code: 0, stderr: '' })
    const rows = result.stdout
      .trim()
      .split('\n')
      .map((row) => row.trim().split(/\s{2,}/))
    const total = sizeOf(index, ...all(one), ...all(two), ...all(arm))
    const multi = sizeOf(index, ...all(one), ...all(arm))
    expect(rows).toEqual([
      ['size', 'unique'],
      [String(multi), String(multi - sizeOf(...all(one))), `${app}:multi`],
      [String(sizeOf(...all(one))), '0', `${app}:v1`],
      [String(sizeOf(...all(two))), String(sizeOf(...all(two))), `${app}:v2`],
      [String(total), expect.stringMatching(/^3 in all/)],
    ])
  })

  test('shows platforms, and takes several images or a layout', async () => {
    const { app, at } = await setUp()
    const platforms = await stowage('du', '--platforms', `${app}:multi`)
    expect(platforms.stdout).toMatch(/^ *\d+ B +\d+ B {4}linux\/arm64$/m)
    const value = JSON.parse((await stowage('du', `${app}:v1`, `${app}:v2`, '--json')).stdout) as object
    expect(value).toMatchObject({
      images: [{ name: `${app}:v1`, shared: 0 }, { name: `${app}:v2` }],
      total: sizeOf(...all(one), ...all(two)),
      manifests: 2,
      blobs: 4,
    })
    await stowage('cp', `${app}:v1`, `ocidir:${at('layout')}`)
    const layout = JSON.parse((await stowage('du', `ocidir:${at('layout')}`, '--json')).stdout) as object
    expect(layout).toMatchObject({ total: sizeOf(...all(one)) })
    const chosen = JSON.parse(
      (await stowage('du', `${app}:multi`, '--platform', 'linux/arm64', '--json')).stdout,
    ) as object
    expect(chosen).toMatchObject({ total: sizeOf(index, ...all(arm)) })
    expect(await stowage('du', `${app}:none`)).toMatchObject({ code: 3, stdout: '' })
  })
})
