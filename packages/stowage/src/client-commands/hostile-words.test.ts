import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTestRegistry } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { digestOf, pushBlob, pushManifest } from '../testing/push.ts'
import { pushImage, sampleImage, sampleIndex } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const image = sampleImage('one')
/** Clears a screen, writes over the line, and begins another one. */
const hostile = '\u001b[2J\roh\n└── forged'
const harmless = String.raw`\u001b[2J\u000doh\u000a└── forged`

const setUp = async () => {
  const registry = await createTestRegistry({ manifests: { allowMissingBlobs: true } })
  onTestFinished(async () => registry[Symbol.asyncDispose]())
  await pushImage(registry.url, 'app', image, 'v1')
  return { url: registry.url, app: `${registry.host}/app` }
}

describe('words of others stay on their line, and move no cursor', () => {
  test('annotations', async () => {
    const { app } = await setUp()
    const type = ['--artifact-type', 'application/vnd.example']
    await stowage(['attach', `${app}:v1`, ...type, '-a', `${hostile}=${hostile}`])
    const { stdout } = await stowage(['discover', `${app}:v1`, '--annotations'], { tty: true })
    expect(stdout.split('\n').slice(2)).toEqual([`      ${harmless}: ${harmless}`, ''])
    await stowage(['attach', `${app}:v1`, ...type, '-a', `org.opencontainers.image.created=${hostile}`])
    expect((await stowage(['discover', `${app}:v1`])).stdout).toContain(`  ${harmless}\n`)
  })

  test('platforms of an index, also in what goes wrong', async () => {
    const { url, app } = await setUp()
    const gone = { ...image, digest: digestOf('gone') }
    const index = JSON.parse(sampleIndex({ x: image, y: gone })) as { manifests: { platform: object }[] }
    for (const { platform } of index.manifests) Object.assign(platform, { os: hostile, architecture: 'a' })
    expect((await pushManifest(url, 'app', 'index', JSON.stringify(index))).status).toBe(201)
    const { stdout } = await stowage(['validate', `${app}:index`])
    expect(stdout).toContain(`${harmless}/a  ${gone.digest}\n`)
    expect(stdout).not.toContain('\n└')
    expect((await stowage(['du', '--platforms', `${app}:index`])).stdout).toContain(`  ${harmless}/a\n`)
    const { stderr } = await stowage(['config', `${app}:index`, '--platform', 'linux/arm64'])
    expect(stderr).toContain(harmless)
  })

  test('names that a file keeps', async () => {
    const directory = await temporaryDirectory()
    onTestFinished(async () => directory[Symbol.asyncDispose]())
    mkdirSync(join(directory.path, '.docker'))
    const auth = Buffer.from(`${hostile}:secret`).toString('base64')
    writeFileSync(join(directory.path, '.docker/config.json'), JSON.stringify({ auths: { 'a.example': { auth } } }))
    const { stdout } = await stowage(['whoami'], { environment: { HOME: directory.path } })
    expect(stdout).toMatch(/^a\.example {2}.*\n$/)
    expect(stdout).toContain(harmless)
  })

  test('a config that is no object is shown as one that says nothing', async () => {
    const { url, app } = await setUp()
    await pushBlob(url, 'app', 'null')
    const manifest = JSON.parse(image.manifest) as { config: object }
    Object.assign(manifest.config, { digest: digestOf('null'), size: 4 })
    await pushManifest(url, 'app', 'null', JSON.stringify(manifest))
    const result = await stowage(['inspect', `${app}:null`, '--format', '{{.Os}}|{{.Name}}'])
    expect(result).toMatchObject({ code: 0, stdout: `|${app}\n` })
  })
})
