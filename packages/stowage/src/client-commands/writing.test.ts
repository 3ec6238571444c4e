import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cutBodyAfter, ignoreRange, loseRequest, startMisbehavingRegistry, withoutTagDeletion } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, runClientCommand } from '../testing/client-command.ts'
import { digestOf, pushBlob } from '../testing/push.ts'
import { pushImage, sampleImage } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const image = sampleImage('one')
const other = sampleImage('two')

/** A registry with `app:v1` and `app:same`, which are one manifest, and `app:other`. */
const setUp = async () => {
  const directory = await temporaryDirectory()
  const registry = await startMisbehavingRegistry()
  onTestFinished(async () => {
    await registry[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  await pushImage(registry.url, 'app', image, 'v1', 'same')
  await pushImage(registry.url, 'app', other, 'other')
  registry.forget()
  const app = `${registry.host}/app`
  const tags = async (): Promise<string[]> => (await stowage(['ls', app])).stdout.split('\n').filter(Boolean)
  const stowage = async (argv: readonly string[], options?: ClientOptions) => runClientCommand(argv, options)
  return { registry, app, tags, stowage, at: (name: string) => join(directory.path, name) }
}

describe('stowage blob push', () => {
  test('pushes a file or stdin, and prints one line that another command takes', async () => {
    const { app, at, stowage } = await setUp()
    writeFileSync(at('blob'), 'some bytes')
    const digest = digestOf('some bytes')
    const first = await stowage(['blob', 'push', app, at('blob')])
    expect(first).toMatchObject({ code: 0, stdout: `${app}@${digest}\n` })
    expect(first.stderr).toBe(`uploaded  ${digest.slice(0, 19)}  10 B\n`)
    const second = await stowage(['blob', 'push', app, '-'], { stdin: 'some bytes' })
    expect(second).toMatchObject({ code: 0, stdout: `${app}@${digest}\n` })
    expect(second.stderr).toMatch(/^existing /)
    const third = await stowage(['blob', 'put', `${app}@${digestOf('others')}`], { stdin: 'others' })
    expect(third).toMatchObject({ code: 0, stdout: `${app}@${digestOf('others')}\n` })
    expect((await stowage(['blob', third.stdout.trim()])).stdout).toBe('others')
  })

  test('prints a descriptor for a manifest, or JSON', async () => {
    const { app, stowage } = await setUp()
    const descriptor = { mediaType: 'text/plain', digest: digestOf('text'), size: 4 }
    const options = { stdin: 'text' }
    const printed = await stowage(['blob', 'push', app, '--media-type', 'text/plain', '--descriptor'], options)
    expect(JSON.parse(printed.stdout)).toEqual(descriptor)
    const json = await stowage(['blob', 'push', app, '--media-type', 'text/plain', '--json', '-q'], options)
    expect(JSON.parse(json.stdout)).toEqual({
      reference: `${app}@${digestOf('text')}`,
      ...descriptor,
      outcome: 'existing',
    })
    expect(json.stderr).toBe('')
  })

  test('what has not the digest that was named is not pushed', async () => {
    const { registry, app, stowage } = await setUp()
    const result = await stowage(['blob', 'push', `${app}@${digestOf('this')}`], { stdin: 'that' })
    expect(result).toMatchObject({ code: 7, stdout: '' })
    expect(result.stderr).toContain(digestOf('that'))
    expect(registry.requests).toEqual([])
  })

  test('no empty blob is pushed from a terminal, and no missing file', async () => {
    const { app, at, stowage } = await setUp()
    expect(await stowage(['blob', 'push', app], { keys: [] })).toMatchObject({ code: 64, stdout: '' })
    const missing = await stowage(['blob', 'push', app, at('missing')])
    expect(missing).toMatchObject({ code: 3, stdout: '' })
    expect(missing.stderr).toContain(at('missing'))
  })
})

describe('stowage blob get', () => {
  test('goes on where an earlier run was cut', async () => {
    const { registry, app, at, stowage } = await setUp()
    const content = 'x'.repeat(100_000)
    await pushBlob(registry.url, 'app', content)
    const digest = digestOf(content)
    const part = at(`layer.${digest.slice(7, 19)}.part`)
    const rules = [
      registry.on({ method: 'GET', path: /blobs/ }, cutBodyAfter(40_000), { times: 1 }),
      registry.on({ method: 'GET', path: /blobs/ }, loseRequest(), { skip: 1 }),
    ]
    const first = await stowage(['blob', 'get', `${app}@${digest}`, '-o', at('layer'), '--retries', '0'])
    expect(first).toMatchObject({ code: 8, stdout: '' })
    expect(existsSync(at('layer'))).toBe(false)
    const kept = readFileSync(part).byteLength
    expect(kept).toBe(40_000)
    for (const rule of rules) rule.remove()
    registry.forget()
    const second = await stowage(['blob', 'get', `${app}@${digest}`, '-o', at('layer'), '--json'])
    expect(JSON.parse(second.stdout)).toEqual({
      reference: `${app}@${digest}`,
      file: at('layer'),
      digest,
      size: 100_000,
      resumed: kept,
    })
    expect(registry.seen({ method: 'GET', path: /blobs/ }).map(({ headers }) => headers.range)).toEqual([
      `bytes=${kept}-`,
    ])
    expect(readFileSync(at('layer'), 'utf8')).toBe(content)
    expect(existsSync(part)).toBe(false)
  })

  test('also where the registry knows no ranges, and where all of it is there already', async () => {
    const { registry, app, at, stowage } = await setUp()
    registry.on({ method: 'GET', path: /blobs/ }, ignoreRange())
    const part = at(`layer.${image.layerDigest.slice(7, 19)}.part`)
    for (const length of [5, image.layer.length]) {
      writeFileSync(part, image.layer.slice(0, length))
      expect(await stowage(['blob', `${app}@${image.layerDigest}`, '-o', at('layer')])).toMatchObject({ code: 0 })
      expect(readFileSync(at('layer'), 'utf8')).toBe(image.layer)
    }
  })

  test('what is left of something else is thrown away, and never mixed with it', async () => {
    const { app, at, stowage } = await setUp()
    writeFileSync(at(`layer.${image.layerDigest.slice(7, 19)}.part`), 'WRONG')
    const first = await stowage(['blob', `${app}@${image.layerDigest}`, '-o', at('layer')])
    expect(first).toMatchObject({ code: 7, stdout: '' })
    expect(first.stderr).toContain('run the command again')
    expect(existsSync(at('layer'))).toBe(false)
    expect(await stowage(['blob', `${app}@${image.layerDigest}`, '-o', at('layer')])).toMatchObject({ code: 0 })
    expect(readFileSync(at('layer'), 'utf8')).toBe(image.layer)
    expect(await readdir(at('.'))).toEqual(['layer'])
  })

  test('a terminal gets no bytes that it might obey', async () => {
    const { app, stowage } = await setUp()
    expect(await stowage(['blob', `${app}@${image.layerDigest}`], { tty: true })).toMatchObject({
      code: 64,
      stdout: '',
    })
    const asked = await stowage(['blob', `${app}@${image.layerDigest}`, '-o', '-'], { tty: true })
    expect(asked).toMatchObject({ code: 0, stdout: image.layer })
  })

  test('a blob is named by its digest', async () => {
    const { app, stowage } = await setUp()
    const result = await stowage(['blob', 'get', `${app}:v1`])
    expect(result).toMatchObject({ code: 64, stdout: '' })
    expect(result.stderr).toBe(`stowage: A blob is named by its digest: ${app}@sha256:….\n`)
  })
})

describe('stowage manifest put', () => {
  test('takes what manifest get gives, from a file or stdin', async () => {
    const { app, at, stowage } = await setUp()
    const { stdout } = await stowage(['manifest', 'get', `${app}:v1`])
    const fromStdin = await stowage(['manifest', 'put', `${app}:v2`], { stdin: stdout })
    expect(fromStdin).toMatchObject({ code: 0, stderr: '', stdout: `${app}@${image.digest}\n` })
    writeFileSync(at('manifest.json'), stdout)
    const byDigest = await stowage(['manifest', 'push', `${app}@${image.digest}`, at('manifest.json'), '--json'])
    expect(JSON.parse(byDigest.stdout)).toMatchObject({ reference: `${app}@${image.digest}`, digest: image.digest })
    expect((await stowage(['digest', `${app}:v2`])).stdout).toBe(`${image.digest}\n`)
  })

  test('refuses another digest, and what is no manifest', async () => {
    const { app, stowage } = await setUp()
    const wrong = await stowage(['manifest', 'put', `${app}@${other.digest}`], { stdin: image.manifest })
    expect(wrong).toMatchObject({ code: 7, stdout: '' })
    const none = await stowage(['manifest', 'put', `${app}:v3`], { stdin: 'hello' })
    expect(none).toMatchObject({ code: 1, stdout: '' })
    expect(none.stderr).toMatch(/^stowage: stdin: Invalid manifest: /)
    expect(none.stderr).not.toContain('    at ')
  })
})

describe('stowage tag', () => {
  test('gives several tags, by name or as references', async () => {
    const { app, tags, stowage } = await setUp()
    const result = await stowage(['tag', `${app}:v1`, 'v1.2', `${app}:latest`, 'other'])
    expect(result).toMatchObject({ code: 0, stdout: `${app}@${image.digest}\n` })
    expect(await tags()).toEqual(['latest', 'other', 'same', 'v1', 'v1.2'])
    expect((await stowage(['digest', `${app}:other`])).stdout).toBe(`${image.digest}\n`)
    expect((await stowage(['tag', 'add', `${app}@${other.digest}`, 'two'])).stdout).toBe(`${app}@${other.digest}\n`)
  })

  test('a reference in another place is refused before anything is asked', async () => {
    const { registry, app, stowage } = await setUp()
    for (const name of [`${registry.host}/elsewhere:v1`, 'a b', 'ocidir:./x:v1']) {
      const result = await stowage(['tag', `${app}:v1`, name])
      expect(result).toMatchObject({ code: 64, stdout: '' })
    }
    expect(registry.requests).toEqual([])
  })
})

describe('stowage tag rm', () => {
  test('removes the tag, and never the manifest', async () => {
    const { app, tags, stowage } = await setUp()
    expect(await stowage(['tag', 'rm', `${app}:v1`])).toMatchObject({ code: 0, stdout: `${app}:v1\n` })
    expect(await tags()).toEqual(['other', 'same'])
    expect(await stowage(['digest', `${app}@${image.digest}`])).toMatchObject({ code: 0 })
    expect(await stowage(['tag', 'rm', `${app}:v1`])).toMatchObject({ code: 3, stdout: '' })
  })

  test('also where the registry deletes manifests only', async () => {
    const { registry, app, tags, stowage } = await setUp()
    registry.on({}, withoutTagDeletion())
    expect(await stowage(['tag', 'delete', `${app}:v1`])).toMatchObject({ code: 0 })
    expect(await tags()).toEqual(['other', 'same'])
    expect(await stowage(['digest', `${app}:same`])).toMatchObject({ code: 0, stdout: `${image.digest}\n` })
  })

  test('a digest is no tag', async () => {
    const { app, tags, stowage } = await setUp()
    expect(await stowage(['tag', 'rm', `${app}@${image.digest}`])).toMatchObject({ code: 64, stdout: '' })
    expect(await stowage(['tag', 'rm', app])).toMatchObject({ code: 64, stdout: '' })
    expect(await tags()).toEqual(['other', 'same', 'v1'])
  })
})

describe('stowage rm', () => {
  test('deletes the manifest that a tag names, with every tag of it', async () => {
    const { app, tags, stowage } = await setUp()
    expect(await stowage(['rm', `${app}:v1`])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `${app}@${image.digest}\n`,
    })
    expect(await tags()).toEqual(['other'])
    const json = await stowage(['manifest', 'delete', `${app}@${other.digest}`, '--json'])
    expect(JSON.parse(json.stdout)).toEqual({
      reference: `${app}@${other.digest}`,
      digest: other.digest,
      deleted: true,
    })
    expect(await tags()).toEqual([])
  })

  test('asks on a terminal: Enter is no', async () => {
    const { app, tags, stowage } = await setUp()
    const no = await stowage(['delete', `${app}:v1`], { keys: ['\r'] })
    expect(no).toMatchObject({ code: 130, stdout: '' })
    expect(no.stderr).toContain('Nothing was deleted.')
    expect(await tags()).toHaveLength(3)
    const yes = await stowage(['delete', `${app}:v1`], { keys: ['y'] })
    expect(yes).toMatchObject({ code: 0, stdout: `${app}@${image.digest}\n` })
    expect(yes.stderr).toContain('every other tag that names it?')
    expect(await tags()).toEqual(['other'])
    const forced = await stowage(['delete', '--yes', `${app}:other`], { keys: [] })
    expect(forced).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('stowage blob rm', () => {
  test('deletes what no manifest needs', async () => {
    const { registry, app, stowage } = await setUp()
    await pushBlob(registry.url, 'app', 'spare')
    expect(await stowage(['blob', 'rm', `${app}@${digestOf('spare')}`])).toMatchObject({
      code: 0,
      stdout: `${app}@${digestOf('spare')}\n`,
    })
    expect(await stowage(['blob', 'head', `${app}@${digestOf('spare')}`])).toMatchObject({ code: 3 })
    expect(await stowage(['blob', 'rm', `${app}@${image.layerDigest}`])).toMatchObject({ code: 1, stdout: '' })
    expect(await stowage(['blob', 'rm', `ocidir:./x@${image.layerDigest}`])).toMatchObject({ code: 1, stdout: '' })
  })
})

describe('in a layout and an archive', () => {
  test.each(['ocidir', 'oci-archive'])('%s', async (scheme) => {
    const { at, stowage } = await setUp()
    const place = `${scheme}:${at('images')}`
    const options = { stdin: image.config }
    expect(await stowage(['blob', 'push', place], options)).toMatchObject({
      code: 0,
      stdout: `${place}@${image.configDigest}\n`,
    })
    expect(await stowage(['blob', 'push', place], { stdin: image.layer })).toMatchObject({ code: 0 })
    expect(await stowage(['manifest', 'put', `${place}:v1`], { stdin: image.manifest })).toMatchObject({
      code: 0,
      stdout: `${place}@${image.digest}\n`,
    })
    expect(await stowage(['tag', `${place}:v1`, 'v2', `${place}:v3`])).toMatchObject({ code: 0 })
    expect((await stowage(['ls', place])).stdout).toBe('v1\nv2\nv3\n')
    expect(await stowage(['tag', 'rm', `${place}:v2`])).toMatchObject({ code: 0 })
    expect((await stowage(['ls', place])).stdout).toBe('v1\nv3\n')
    expect((await stowage(['blob', `${place}@${image.layerDigest}`])).stdout).toBe(image.layer)
    expect(await stowage(['rm', `${place}:v1`])).toMatchObject({ code: 0 })
    expect((await stowage(['ls', place])).stdout).toBe('')
    expect(await stowage(['rm', `${scheme}:${at('nowhere')}:v1`])).toMatchObject({ code: 3 })
    expect(existsSync(at('nowhere'))).toBe(false)
  })
})
