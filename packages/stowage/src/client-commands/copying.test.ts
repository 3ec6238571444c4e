import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTestRegistry, jsonReply, startMisbehavingRegistry } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, type ClientResult, runClientCommand } from '../testing/client-command.ts'
import { digestOf, pushManifest } from '../testing/push.ts'
import { pushImage, type SampleImage, sampleImage, sampleIndex } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const one = sampleImage('one')
const two = sampleImage('two')
const arm = sampleImage('one', 'arm64')
const index = sampleIndex({ 'linux/amd64': one, 'linux/arm64': arm })

/** Two registries. The first has `app:v1`, `app:v2`, and `app:multi`, an index of two platforms. */
const setUp = async () => {
  const directory = await temporaryDirectory()
  const [from, to] = [await createTestRegistry(), await createTestRegistry()]
  onTestFinished(async () => {
    await from[Symbol.asyncDispose]()
    await to[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  await pushImage(from.url, 'app', one, 'v1')
  await pushImage(from.url, 'app', two, 'v2')
  await pushImage(from.url, 'app', arm)
  await pushManifest(from.url, 'app', 'multi', index)
  const stowage = async (...argv: readonly string[]): Promise<ClientResult> => runClientCommand(argv)
  const tags = async (repository: string): Promise<string[]> =>
    (await stowage('ls', repository)).stdout.split('\n').filter(Boolean)
  const piped = async (argv: readonly string[], options: ClientOptions): Promise<ClientResult> =>
    runClientCommand(argv, options)
  return {
    from: `${from.host}/app`,
    to: `${to.host}/copies/app`,
    other: to.host,
    stowage,
    tags,
    piped,
    at: (name: string) => join(directory.path, name),
  }
}

const subjectOf = ({ manifest, digest }: SampleImage): object => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest,
  size: Buffer.byteLength(manifest),
})

/** What refers to an image. */
const signatureOf = (image: SampleImage): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.example.signature',
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: image.configDigest,
      size: Buffer.byteLength(image.config),
    },
    layers: [],
    subject: subjectOf(image),
  })

describe('stowage cp', () => {
  test('copies an image with all platforms, and prints one line that another command takes', async () => {
    const { from, to, stowage } = await setUp()
    const result = await stowage('cp', `${from}:multi`, `${to}:v1`)
    expect(result).toMatchObject({ code: 0, stdout: `${to}@${digestOf(index)}\n` })
    expect(result.stderr).toMatch(/^copied {4}sha256:[0-9a-f]{12} {2}\d+ B$/m)
    expect(result.stderr).toMatch(/^3 blobs copied \(\d+ B\)$/m)
    expect((await stowage('config', '--platform', 'linux/arm64', result.stdout.trim())).stdout).toBe(arm.config)
    const again = await stowage('copy', `${from}:multi`, `${to}:v1`, '-q')
    expect(again).toMatchObject({ code: 0, stdout: `${to}@${digestOf(index)}\n`, stderr: '' })
  })

  test('gives several tags, in the words of oras or by option', async () => {
    const { from, to, stowage, tags } = await setUp()
    const result = await stowage('cp', `${from}:v1`, `${to}:a,b`, '--tag', 'c', '--json')
    expect(JSON.parse(result.stdout)).toMatchObject({
      reference: `${to}@${one.digest}`,
      digest: one.digest,
      tags: ['a', 'b', 'c'],
      blobs: { copied: 2 },
    })
    expect(await tags(to)).toEqual(['a', 'b', 'c'])
    expect((await stowage('cp', `${from}:v1`, `${to}:a,b c`)).code).toBe(64)
  })

  test('copies one platform, or some as a new index or a sparse one', async () => {
    const { from, to, other, stowage } = await setUp()
    const arm64 = ['--platform', 'linux/arm64']
    expect((await stowage('cp', `${from}:multi`, `${to}:arm`, ...arm64)).stdout).toBe(`${to}@${arm.digest}\n`)
    const some = (await stowage('cp', `${from}:multi`, `${to}:some`, ...arm64, '--index', 'rewrite')).stdout.trim()
    const rewritten = JSON.parse((await stowage('manifest', some)).stdout) as { manifests: { digest: string }[] }
    expect(rewritten.manifests.map(({ digest }) => digest)).toEqual([arm.digest])
    expect((await stowage('cp', `${from}:v1`, `${to}:x`, '--index', 'sparse')).code).toBe(64)
    const missing = await stowage('cp', `${from}:multi`, `${other}/x`, '--platform', 'linux/s390x')
    expect(missing).toMatchObject({ code: 3, stdout: '' })
    expect(missing.stderr).toContain('linux/amd64, linux/arm64')
  })

  test('brings what refers to it', async () => {
    const { from, to, stowage } = await setUp()
    await runClientCommand(['manifest', 'put', `${from}@${digestOf(signatureOf(one))}`], { stdin: signatureOf(one) })
    await stowage('cp', `${from}:v1`, `${to}:plain`)
    expect((await stowage('discover', `${to}:plain`, '--json')).stdout).toContain('"referrers": []')
    const result = await stowage('cp', '-r', `${from}:v1`, `${to}:all`)
    expect(result.stderr).toContain('1 referrer')
    expect((await stowage('discover', `${to}:all`)).stdout).toContain('application/vnd.example.signature')
  })

  test('goes on without a referrer that is listed and gone, and says so', async () => {
    const { to, stowage } = await setUp()
    await using stale = await startMisbehavingRegistry()
    await pushImage(stale.url, 'app', one, 'v1')
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    stale.on({ path: /referrers/ }, () =>
      jsonReply(200, { schemaVersion: 2, mediaType, manifests: [subjectOf(two)] }, [['content-type', mediaType]]),
    )
    const result = await stowage('cp', '-r', `${stale.host}/app:v1`, `${to}:v1`)
    expect(result).toMatchObject({ code: 0, stdout: `${to}@${one.digest}\n` })
    expect(result.stderr).toContain(`not there: ${two.digest}, though listed as a referrer\n`)
    const told = JSON.parse((await stowage('cp', '-r', `${stale.host}/app:v1`, `${to}:v1`, '--json')).stdout) as object
    expect(told).toMatchObject({ referrers: 0, missingReferrers: 1 })
  })

  test('leaves tags alone that are there, when told to', async () => {
    const { from, to, stowage, tags } = await setUp()
    await stowage('cp', `${from}:v1`, `${to}:v1`)
    const kept = await stowage('cp', '-n', `${from}:v2`, `${to}:v1`)
    expect(kept).toMatchObject({
      code: 0,
      stdout: `${to}@${one.digest}\n`,
      stderr: `left ${to}:v1, which is ${one.digest}\n`,
    })
    await stowage('cp', '-n', `${from}:v2`, `${to}:v1,v2`)
    expect((await stowage('digest', `${to}:v2`)).stdout).toBe(`${two.digest}\n`)
    expect((await stowage('digest', `${to}:v1`)).stdout).toBe(`${one.digest}\n`)
    const all = await stowage('cp', '-a', '-n', from, to)
    expect(all.stdout).toBe(`${to}:multi@${digestOf(index)}\n`)
    expect(await tags(to)).toEqual(['multi', 'v1', 'v2'])
  })

  test('copies every tag', async () => {
    const { from, to, stowage } = await setUp()
    const result = await stowage('cp', '--all-tags', from, to)
    expect(result.stdout.split('\n')).toEqual([
      `${to}:multi@${digestOf(index)}`,
      `${to}:v1@${one.digest}`,
      `${to}:v2@${two.digest}`,
      '',
    ])
    expect((await stowage('cp', '-a', `${from}:v1`, to)).code).toBe(64)
    expect((await stowage('cp', '-a', from, to, '-t', 'x')).code).toBe(64)
  })

  test('mends what is there and lacks something, when told to', async () => {
    const { from, at, stowage } = await setUp()
    await stowage('cp', `${from}:v1`, `ocidir:${at('layout')}:v1`)
    const blob = at(`layout/blobs/sha256/${one.layerDigest.slice(7)}`)
    writeFileSync(blob, 'damaged')
    await stowage('cp', `${from}:v1`, `ocidir:${at('layout')}:v1`)
    expect(readFileSync(blob, 'utf8')).toBe('damaged')
    await stowage('cp', '--force', `${from}:v1`, `ocidir:${at('layout')}:v1`)
    expect(readFileSync(blob, 'utf8')).toBe(one.layer)
  })

  test('goes between a registry, a layout and an archive', async () => {
    const { from, to, at, stowage } = await setUp()
    const layout = `ocidir:${at('layout')}`
    expect((await stowage('cp', `${from}:multi`, `${layout}:m`)).stdout).toBe(`${layout}@${digestOf(index)}\n`)
    const archive = `oci-archive:${at('app.tar')}`
    expect((await stowage('cp', `${layout}:m`, `${archive}:m`)).code).toBe(0)
    expect((await stowage('cp', archive, `${to}:back`)).stdout).toBe(`${to}@${digestOf(index)}\n`)
    expect((await stowage('cp', '--oci-layout', `${at('layout')}:m`, `${at('second')}:m`)).code).toBe(0)
    expect(existsSync(at('second/index.json'))).toBe(true)
  })

  test('names the side that failed', async () => {
    const { from, to, stowage } = await setUp()
    const result = await stowage('cp', `${from}:none`, to)
    expect(result).toMatchObject({ code: 3, stdout: '' })
    expect(result.stderr).toContain(`${from}:none`)
    expect((await stowage('cp', `${from}:v1`, 'localhost/UPPER')).code).toBe(64)
  })
})

describe('stowage sync', () => {
  test('copies what is missing, and says so', async () => {
    const { from, to, stowage } = await setUp()
    await stowage('cp', `${from}:v1`, `${to}:v1`)
    const result = await stowage('sync', from, to)
    expect(result).toMatchObject({
      code: 0,
      stdout: `${to}:multi@${digestOf(index)}\n${to}:v2@${two.digest}\n`,
    })
    expect(result.stderr).toMatch(/^127\.0\.0\.1:\d+\/app: 3 images$/m)
    expect(result.stderr).toMatch(new RegExp(`^copied {4}${to}:v2 {2}`, 'm'))
    expect(result.stderr).toMatch(/^2 copied \(\d+ B\), 1 there already$/m)
    expect(await stowage('sync', from, to)).toMatchObject({ code: 0, stdout: '' })
  })

  test('only says what it would do', async () => {
    const { from, to, other, stowage } = await setUp()
    const result = await stowage('sync', '-n', from, to, '--json')
    expect(JSON.parse(result.stdout)).toMatchObject({ dryRun: true, copied: 3, existing: 0, failed: 0 })
    expect(result.stderr).toMatch(/3 would be copied/)
    expect((await stowage('catalog', other)).stdout).toBe('')
  })

  test('takes patterns, lists, and everything of a registry that matches', async () => {
    const { from, to, other, at, stowage, tags } = await setUp()
    await stowage('sync', from, to, '--include', 'v*', '--exclude', '/v[2-9]/')
    expect(await tags(to)).toEqual(['v1'])
    writeFileSync(at('list'), `# what we need\n${from}:v1\n\n${from}:v2  ${other}/named:two # the second\n`)
    expect(await stowage('sync', '--from', at('list'), `${other}/list/`)).toMatchObject({ code: 0 })
    expect(await tags(`${other}/list/app`)).toEqual(['v1'])
    expect(await tags(`${other}/named`)).toEqual(['two'])
    const registry = from.replace(/\/app$/, '')
    await stowage('sync', `${registry}/a*`, `${other}/all/`, '--platform', 'linux/arm64', '--include', 'multi')
    expect((await stowage('digest', `${other}/all/app:multi`)).stdout).toBe(`${arm.digest}\n`)
  })

  test('takes a list from stdin', async () => {
    const { from, other, piped, tags } = await setUp()
    const result = await piped(['sync', '--from', '-'], { stdin: `${from}:v1 ${other}/x\n` })
    expect(result).toMatchObject({ code: 0 })
    expect(await tags(`${other}/x`)).toEqual(['v1'])
    expect(await piped(['sync', '--from', '-'], { stdin: 'a b c' })).toMatchObject({ code: 64 })
  })

  test('goes on when one fails, and says which', async () => {
    const { from, to, other, stowage, tags } = await setUp()
    const result = await stowage('sync', `${from}:none`, `${from}:v1`, `${other}/x/`)
    expect(result).toMatchObject({ code: 3, stdout: `${other}/x/app:v1@${one.digest}\n` })
    expect(result.stderr).toContain(`failed    ${from}:none: `)
    expect(result.stderr).toContain('1 of 2 images failed.')
    const stopped = await stowage('sync', '--stop-on-error', `${from}:none`, to)
    expect(stopped).toMatchObject({ code: 3, stdout: '' })
    expect(await tags(`${other}/x/app`)).toEqual(['v1'])
  })

  test.each([
    ['nothing', []],
    ['no target', ['a.example/x']],
    ['several repositories for one', ['a.example/x', 'b.example/y', 'c.example/z']],
    ['a wrong expression', ['a.example/x', 'b.example/x', '--include', '/[/']],
  ])('%s is not understood', async (_, words) => {
    expect(await runClientCommand(['sync', ...words])).toMatchObject({ code: 64, stdout: '' })
  })
})
