import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTestRegistry } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, type ClientResult, runClientCommand } from '../testing/client-command.ts'
import { run } from '../testing/command.ts'
import { digestOf, pushManifest } from '../testing/push.ts'
import { pushImage, sampleImage, sampleIndex } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import { thisPlatform } from './open-image.ts'

const one = sampleImage('one', thisPlatform().split('/')[1])
const other = sampleImage('other', 's390x')
const index = sampleIndex({ [thisPlatform()]: one, 'linux/s390x': other })

const setUp = async () => {
  const directory = await temporaryDirectory()
  const registry = await createTestRegistry()
  onTestFinished(async () => {
    await registry[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  const app = `${registry.host}/app`
  const stowage = async (...argv: readonly string[]): Promise<ClientResult> => runClientCommand(argv)
  return {
    app,
    registry,
    stowage,
    piped: async (argv: readonly string[], options: ClientOptions) => runClientCommand(argv, options),
    at: (name: string) => join(directory.path, name),
    /** The program itself, in the directory. */
    here: async (...argv: readonly string[]) =>
      run(argv, { cwd: directory.path, env: { HOME: directory.path, ...environment } }),
  }
}

/** Of the real program. */
let environment: Record<string, string> = {}

const pushAll = async (url: string): Promise<void> => {
  await pushImage(url, 'app', one, 'v1')
  await pushImage(url, 'app', other)
  await pushManifest(url, 'app', 'multi', index)
}

describe('stowage image pull and push', () => {
  test("bring one platform into an archive of Docker's, and back", async () => {
    const { app, registry, stowage, at } = await setUp()
    await pushAll(registry.url)
    const pulled = await stowage('image', 'pull', `${app}:multi`, at('app.tar'))
    expect(pulled).toMatchObject({ code: 0, stdout: `${app}@${one.digest}\n` })
    expect(pulled.stderr).toContain(`${thisPlatform()} of ${thisPlatform()}, linux/s390x`)
    expect(readdirSync(at('.'))).toEqual(['app.tar'])
    expect((await stowage('ls', `docker-archive:${at('app.tar')}`)).stdout).toBe(`${app}:multi\n`)
    const pushed = await stowage('image', 'push', at('app.tar'), `${app}:back,again`)
    expect(pushed).toMatchObject({ code: 0, stdout: `${app}@${one.digest}\n` })
    expect((await stowage('ls', app)).stdout).toBe('again\nback\nmulti\nv1\n')
    const chosen = await stowage('image', 'pull', `${app}:multi`, at('app.tar'), '--platform', 'linux/s390x')
    expect(chosen.stdout).toBe(`${app}@${other.digest}\n`)
    // The old file is replaced, and not added to.
    expect((await stowage('digest', `docker-archive:${at('app.tar')}`)).stdout).toBe(`${other.digest}\n`)
  })

  test('bring everything into a layout, in a tar or a directory, and back', async () => {
    const { app, registry, stowage, at } = await setUp()
    await pushAll(registry.url)
    for (const [format, path] of [
      ['oci', 'app.tar'],
      ['oci-dir', 'layout'],
    ] as const) {
      const pulled = await stowage('image', 'pull', '--format', format, `${app}:multi`, at(path), '--json')
      expect(JSON.parse(pulled.stdout)).toMatchObject({
        reference: `${app}@${digestOf(index)}`,
        path: at(path),
        format,
      })
      const pushed = await stowage('image', 'push', at(path), `${app}:${format}`)
      expect(pushed).toMatchObject({ code: 0, stdout: `${app}@${digestOf(index)}\n` })
    }
    expect(await stowage('pull', `${app}:v1`, at('layout'))).toMatchObject({ code: 0 })
    expect((await stowage('ls', `ocidir:${at('layout')}`)).stdout).toBe('multi\nv1\n')
    const several = await stowage('image', 'push', at('layout'), `${app}:x`)
    expect(several).toMatchObject({ code: 64, stdout: '' })
    expect((await stowage('image', 'push', at('layout'), `${app}:x`, '--image', 'v1')).stdout).toBe(
      `${app}@${one.digest}\n`,
    )
    const some = await stowage('image', 'push', at('app.tar'), `${app}:x`, '--platform', 'linux/s390x')
    expect(some.stdout).toBe(`${app}@${other.digest}\n`)
  })

  test('speak through pipes', async () => {
    const { app, registry, stowage, piped } = await setUp()
    await pushAll(registry.url)
    for (const format of ['docker', 'oci']) {
      const pulled = await stowage('image', 'pull', `${app}:v1`, '-', '--format', format)
      expect(pulled.code).toBe(0)
      expect(pulled.stderr).toContain(`${app}@${one.digest}\n`)
      const pushed = await piped(['push', '-', `${app}:piped`, '--format', format], { stdin: pulled.bytes })
      expect(pushed).toMatchObject({ code: 0, stdout: `${app}@${one.digest}\n` })
    }
    expect(await piped(['image', 'pull', `${app}:v1`, '-'], { tty: true })).toMatchObject({ code: 64, stdout: '' })
  })

  test('leave an old file as it was when something fails', async () => {
    const { app, registry, stowage, at } = await setUp()
    await pushAll(registry.url)
    writeFileSync(at('app.tar'), 'old')
    expect(await stowage('image', 'pull', `${app}:none`, at('app.tar'))).toMatchObject({ code: 3, stdout: '' })
    const wrong = await stowage('image', 'pull', `${app}:multi`, at('app.tar'), '--platform', 'linux/arm')
    expect(wrong).toMatchObject({ code: 3, stdout: '' })
    expect(readFileSync(at('app.tar'), 'utf8')).toBe('old')
    expect(readdirSync(at('.'))).toEqual(['app.tar'])
    const two = ['--platform', 'linux/arm', '--platform', 'linux/s390x']
    expect(await stowage('image', 'pull', `${app}:multi`, at('x'), ...two)).toMatchObject({ code: 64 })
    expect(await stowage('image', 'pull', '--format', 'oci', `${app}:v1`, at('.'))).toMatchObject({ code: 64 })
    expect(await stowage('image', 'push', at('app.tar'), `${app}:x`)).toMatchObject({ code: 1, stdout: '' })
    expect(await stowage('image', 'push', at('missing'), `${app}:x`)).toMatchObject({ code: 3, stdout: '' })
  })
})

describe('stowage artifact push and pull', () => {
  test('bring files and directories, by the paths that they were pushed under', async () => {
    const { app, at, here, stowage } = await setUp()
    mkdirSync(at('site/css'), { recursive: true })
    writeFileSync(at('site/index.html'), '<p>')
    writeFileSync(at('site/css/a.css'), 'p {}')
    writeFileSync(at('notes.txt'), 'notes')
    const type = 'application/vnd.acme.site'
    const pushed = await here(
      'artifact',
      'push',
      `${app}:site`,
      'notes.txt:text/plain',
      './site',
      '--artifact-type',
      type,
    )
    expect(pushed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^${app}@sha256:\\S+\\n$`)) as string,
    })
    const manifest = JSON.parse((await stowage('manifest', `${app}:site`)).stdout) as { layers: object[] }
    expect(manifest).toMatchObject({
      artifactType: type,
      config: { mediaType: 'application/vnd.oci.empty.v1+json' },
      layers: [
        { mediaType: 'text/plain', annotations: { 'org.opencontainers.image.title': 'notes.txt' } },
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          annotations: { 'org.opencontainers.image.title': 'site', 'io.deis.oras.content.unpack': 'true' },
        },
      ],
    })
    const pulled = await here('artifact', 'pull', `${app}:site`, '-o', 'out')
    expect(pulled).toMatchObject({ code: 0, stdout: 'out/notes.txt\nout/site\n' })
    expect(pulled.stderr).toContain(pushed.stdout)
    expect(readFileSync(at('out/site/css/a.css'), 'utf8')).toBe('p {}')
    expect(await here('artifact', 'pull', `${app}:site`, '-o', 'packed', '--keep-packed')).toMatchObject({ code: 0 })
    expect(statSync(at('packed/site')).isFile()).toBe(true)
    // The same files make the same digest, wherever they come from.
    expect((await here('artifact', 'push', app, 'notes.txt:text/plain', 'site', '--artifact-type', type)).stdout).toBe(
      pushed.stdout,
    )
  })

  test('take annotations, a config, and the time that builds are given', async () => {
    const { app, at, here, stowage } = await setUp()
    writeFileSync(at('a'), 'a')
    writeFileSync(at('config.json'), '{"b":1}')
    writeFileSync(
      at('notes.json'),
      JSON.stringify({ $manifest: { m: '1', x: 'file' }, $config: { c: '2' }, a: { f: '3' } }),
    )
    environment = { SOURCE_DATE_EPOCH: '86400' }
    onTestFinished(() => void (environment = {}))
    const words = [
      '-a',
      'x=given=so',
      '--annotation-file',
      'notes.json',
      '--config',
      'config.json:application/vnd.acme+json',
    ]
    expect(await here('artifact', 'push', `${app}:v1`, 'a', ...words)).toMatchObject({ code: 0 })
    const manifest = JSON.parse((await stowage('manifest', `${app}:v1`)).stdout) as object
    expect(manifest).toMatchObject({
      config: { mediaType: 'application/vnd.acme+json', annotations: { c: '2' } },
      layers: [{ annotations: { f: '3' } }],
      annotations: { m: '1', x: 'given=so', 'org.opencontainers.image.created': '1970-01-02T00:00:00Z' },
    })
    expect(manifest).not.toHaveProperty('artifactType')
    for (const wrong of [
      ['-a', 'x'],
      ['-a', 'x=1', '-a', 'x=2'],
      ['--annotation-file', 'config.json'],
      ['-', '-'],
    ]) {
      expect(await here('artifact', 'push', `${app}:v1`, 'a', ...wrong)).toMatchObject({ code: 64, stdout: '' })
    }
    writeFileSync(at('notes.json'), JSON.stringify({ b: { f: '3' } }))
    expect(await here('artifact', 'push', app, 'a', '--annotation-file', 'notes.json')).toMatchObject({ code: 64 })
    environment = { SOURCE_DATE_EPOCH: 'yesterday' }
    expect(await here('artifact', 'push', app, 'a')).toMatchObject({ code: 64, stdout: '' })
  })

  test('read stdin, and call a file from elsewhere by its own name', async () => {
    const { app, at, piped, stowage } = await setUp()
    mkdirSync(at('deep/er'), { recursive: true })
    writeFileSync(at('deep/er/file'), 'x')
    const pushed = await piped(['artifact', 'push', `${app}:v1`, '--json', at('deep/er/file'), '--', '-:text/plain'], {
      stdin: 'piped',
    })
    expect(JSON.parse(pushed.stdout)).toMatchObject({
      artifactType: 'application/vnd.unknown.artifact.v1',
      files: ['file', null],
      tags: ['v1'],
    })
    const pulled = await stowage('artifact', 'pull', `${app}:v1`, '-o', at('out'), '--json')
    expect(JSON.parse(pulled.stdout)).toMatchObject({
      files: [
        { title: 'file', path: at('out/file'), outcome: 'written' },
        { title: null, path: null, outcome: 'untitled', mediaType: 'text/plain' },
      ],
    })
    expect(pulled.stderr).toMatch(/A part has no title.* stowage blob get \S+@sha256:[0-9a-f]{64} -o FILE/)
  })

  test('replace old files unless told otherwise, and unpack no more than they may', async () => {
    const { app, at, stowage } = await setUp()
    mkdirSync(at('dir'))
    writeFileSync(at('dir/large'), 'x'.repeat(5000))
    writeFileSync(at('file'), 'new')
    await stowage('artifact', 'push', `${app}:v1`, at('file'), at('dir'))
    mkdirSync(at('out'))
    writeFileSync(at('out/file'), 'old')
    const refused = await stowage('artifact', 'pull', `${app}:v1`, '-o', at('out'), '-k')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain(at('out/file'))
    expect(readFileSync(at('out/file'), 'utf8')).toBe('old')
    for (const limit of [
      ['--max-unpacked-size', '4KiB'],
      ['--max-unpacked-entries', '1'],
    ]) {
      expect(await stowage('artifact', 'pull', `${app}:v1`, '-o', at('limited'), ...limit)).toMatchObject({ code: 1 })
      expect(existsSync(at('limited/dir'))).toBe(false)
    }
    expect(await stowage('artifact', 'pull', `${app}:v1`, '--max-unpacked-size', 'much')).toMatchObject({ code: 64 })
    await stowage('artifact', 'pull', `${app}:v1`, '-o', at('out'))
    expect(readFileSync(at('out/file'), 'utf8')).toBe('new')
    const again = await stowage('artifact', 'pull', `${app}:v1`, '-o', at('out'), '-k', '--json')
    expect(again).toMatchObject({ code: 1 })
  })

  test('write nothing outside of the directory', async () => {
    const { app, at, stowage, registry } = await setUp()
    writeFileSync(at('x'), 'x')
    await stowage('artifact', 'push', `${app}:v1`, at('x'))
    const manifest = (await stowage('manifest', `${app}:v1`)).stdout.replace('"title":"x"', '"title":"../x"')
    const evil = manifest.replace(/image\.title":"x"/, 'image.title":"../evil"')
    expect(evil).not.toBe(manifest)
    await pushManifest(registry.url, 'app', 'evil', evil)
    const result = await stowage('artifact', 'pull', `${app}:evil`, '-o', at('out'))
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toContain('"../evil"')
    expect(existsSync(at('evil'))).toBe(false)
  })
})

describe('stowage push and pull', () => {
  test('mean an image where there is a path, and files where there is a reference', async () => {
    const { app, registry, stowage, at } = await setUp()
    await pushAll(registry.url)
    writeFileSync(at('file'), 'x')
    expect(await stowage('pull', `${app}:v1`, at('app.tar'))).toMatchObject({ code: 0 })
    expect((await stowage('push', at('app.tar'), `${app}:pushed`)).stdout).toBe(`${app}@${one.digest}\n`)
    expect(await stowage('push', `${app}:files`, `${at('file')}:text/plain`, '-a', 'b=c')).toMatchObject({ code: 0 })
    expect((await stowage('manifest', `${app}:files`)).stdout).toContain('"annotations":{"b":"c"}')
    expect(await stowage('pull', `${app}:files`, '-o', at('out'))).toMatchObject({ code: 0 })
    expect(readFileSync(at('out/file'), 'utf8')).toBe('x')
    expect((await stowage('push', `oci-archive:${at('none.tar')}`, `${app}:x`)).code).toBe(3)
  })

  test('say which one was meant when the rest does not fit', async () => {
    const { app, registry, stowage, at } = await setUp()
    await pushAll(registry.url)
    writeFileSync(at('file'), 'x')
    const wrong: [string[], string][] = [
      [['push', at('file'), `${app}:v1`, at('file')], 'stowage artifact push'],
      [['push', at('file'), `${app}:v1`, '-a', 'b=c'], 'stowage artifact push'],
      [['push', `${app}:v1`, at('file'), '--format', 'oci'], 'stowage image push'],
      [['push', 'UPPER/x:', at('file')], 'neither a file that is there nor a reference'],
      [['pull', `${app}:v1`, at('out'), '-k'], 'stowage artifact pull'],
      [['pull', `${app}:v1`, '-r'], `stowage pull ${app}:v1 PATH`],
      [['pull', `${app}:v1`], `stowage pull ${app}:v1 PATH`],
      [['pull', `${app}:multi`], 'is an image, and not files'],
    ]
    for (const [words, said] of wrong) {
      const result = await stowage(...words)
      expect(result).toMatchObject({ code: 64, stdout: '' })
      expect(result.stderr).toContain(said)
    }
  })
})

describe('stowage attach', () => {
  test('pushes what is found again by discover', async () => {
    const { app, registry, stowage, at } = await setUp()
    await pushAll(registry.url)
    writeFileSync(at('sbom.json'), '{}')
    const attached = await stowage('attach', `${app}:v1`, at('sbom.json'), '--artifact-type', 'application/spdx+json')
    expect(attached).toMatchObject({ code: 0, stdout: expect.stringMatching(/@sha256:\S+\n$/) as string })
    expect(attached.stderr).toContain(`attached to ${app}@${one.digest}`)
    const approval = ['--artifact-type', 'application/vnd.acme.approval', '-a', 'by=me']
    expect(await stowage('attach', attached.stdout.trim(), ...approval)).toMatchObject({ code: 0 })
    const platform = await stowage('attach', `${app}:multi`, '--platform', 'linux/s390x', ...approval, '--json')
    expect(JSON.parse(platform.stdout)).toMatchObject({ subject: { digest: other.digest }, artifactType: approval[1] })

    const tree = await stowage('discover', `${app}:v1`, '--annotations')
    const digest = attached.stdout.trim().split('@')[1]
    expect(tree.stdout.replace(/(?<=approval {2})\S+/, '…')).toBe(
      `${app}@${one.digest}\n└── application/spdx+json  ${digest}\n    └── application/vnd.acme.approval  …\n          by: me\n`,
    )
    const flat = JSON.parse((await stowage('referrers', `${app}:v1`, '--depth', '1', '--json')).stdout) as object
    expect(flat).toMatchObject({
      reference: `${app}@${one.digest}`,
      referrers: [{ digest, artifactType: 'application/spdx+json', referrers: [] }],
    })
    const none = await stowage('discover', `${app}:v1`, '--artifact-type', 'a/b', '--format', 'tree')
    expect(none.stdout).toBe(`${app}@${one.digest}\n`)
    const children = await stowage('discover', `${app}:multi`, '--children')
    expect(children.stdout).toMatch(
      /├── linux\/\S+ {2}sha256:\S+\n(?:│ {3}\S.*\n|│ {7}.*\n)+└── linux\/s390x .*\n {4}└── application\/vnd\.acme\.approval/,
    )
  })
})
