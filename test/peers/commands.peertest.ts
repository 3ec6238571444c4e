import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createTestRegistry } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findProgram, run } from '../clients/command.ts'
import { startDockerRegistry } from './docker-registry.ts'

// The commands, as they are typed, beside skopeo, tar and docker-registry.

const main = new URL('../../packages/stowage/src/main.ts', import.meta.url).pathname

let base: string

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'stowage-peers-'))
})

afterEach(async () => rm(base, { recursive: true, force: true }))

const stowage = async (...args: readonly string[]): Promise<string> => {
  const argv = ['--conditions=@stowage/source', main, ...args]
  return (await run(process.execPath, argv, { cwd: base, env: { HOME: base } })).stdout.trim()
}

const skopeo = async (...args: readonly string[]): Promise<string> =>
  (await run(findProgram('skopeo'), ['--insecure-policy', '--tmpdir', base, ...args], { cwd: base })).stdout.trim()

/** Every tag of a repository with its digest, as skopeo sees it. */
const seenBySkopeo = async (repository: string): Promise<Record<string, string>> => {
  const { Tags } = JSON.parse(await skopeo('list-tags', '--tls-verify=false', `docker://${repository}`)) as {
    Tags: string[]
  }
  const digest = async (tag: string): Promise<string> =>
    skopeo('inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${repository}:${tag}`)
  return Object.fromEntries(await Promise.all(Tags.toSorted().map(async (tag) => [tag, await digest(tag)] as const)))
}

/** An image with real layers, made by tar and pushed by this command. */
const pushImage = async (reference: string, text: string): Promise<string> => {
  await mkdir(join(base, 'root'), { recursive: true })
  await writeFile(join(base, 'root/hello.txt'), text)
  await run('tar', ['-cf', 'layer.tar', '-C', 'root', '.'], { cwd: base })
  // Compressed: skopeo would compress it on the way, and make another image of it.
  const inside = await readFile(join(base, 'layer.tar'))
  await writeFile(join(base, 'layer.tgz'), gzipSync(inside))
  const layer = await blobOf('layer.tgz', 'application/vnd.oci.image.layer.v1.tar+gzip', reference)
  const diffId = `sha256:${createHash('sha256').update(inside).digest('hex')}`
  const rootfs = { type: 'layers', diff_ids: [diffId] }
  await writeFile(join(base, 'config.json'), JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs, config: {} }))
  const config = await blobOf('config.json', 'application/vnd.oci.image.config.v1+json', reference)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  await writeFile(join(base, 'manifest.json'), JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }))
  return (await stowage('manifest', 'put', reference, 'manifest.json')).split('@')[1] ?? ''
}

const blobOf = async (file: string, mediaType: string, reference: string) =>
  JSON.parse(
    await stowage('blob', 'push', reference.replace(/:[^:/]+$/, ''), file, '--media-type', mediaType, '--descriptor'),
  ) as {
    digest: string
  }

describe.each([
  ['docker-registry', startDockerRegistry],
  ['a registry of our own', createTestRegistry],
])('beside skopeo, against %s', (_, start) => {
  it('sync copies what skopeo then finds, and cp and validate agree with it', async () => {
    await using from = await start()
    await using to = await start()
    const digests: Record<string, string> = {}
    for (const tag of ['v1', 'v2', 'v3']) digests[tag] = await pushImage(`${from.host}/team/app:${tag}`, tag)
    const copied = await stowage('sync', `${from.host}/team/app`, `${to.host}/mirror/app`)
    expect(copied.split('\n')).toHaveLength(3)
    expect(await seenBySkopeo(`${to.host}/mirror/app`)).toEqual(digests)
    expect(await stowage('sync', `${from.host}/team/app`, `${to.host}/mirror/app`)).toBe('')
    // The catalog of both kinds is understood.
    await stowage('sync', `${from.host}/team/*`, `${to.host}/all/`)
    expect(await seenBySkopeo(`${to.host}/all/team/app`)).toEqual(digests)

    await skopeo(
      'copy',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      `docker://${from.host}/team/app:v1`,
      `docker://${to.host}/skopeo:v1`,
    )
    expect(await stowage('cp', `${to.host}/skopeo:v1`, `${to.host}/cp:v1`)).toBe(`${to.host}/cp@${digests['v1']}`)
    expect(await stowage('validate', `${to.host}/cp:v1`)).toContain('is valid: 3 parts')
    expect(await stowage('du', `${to.host}/mirror/app`)).toContain('3 in all')
  })

  it('pull writes what skopeo reads, and push reads what skopeo writes', async () => {
    await using registry = await start()
    const app = `${registry.host}/app`
    const digest = await pushImage(`${app}:v1`, 'hello')
    const formats = [
      ['docker', 'docker-archive', 'app.tar'],
      ['oci', 'oci-archive', 'oci.tar'],
      ['oci-dir', 'oci', 'layout'],
    ] as const
    for (const [format, transport, path] of formats) {
      expect(await stowage('pull', '--format', format, `${app}:v1`, path)).toBe(`${app}@${digest}`)
      const name = format === 'docker' ? '' : ':v1'
      const config = JSON.parse(await skopeo('inspect', '--config', `${transport}:${path}${name}`)) as object
      expect(config).toMatchObject({ architecture: 'amd64' })
      await skopeo('copy', '--src-tls-verify=false', `docker://${app}:v1`, `${transport}:skopeo-${path}:app:v1`)
      const pushed = await stowage('push', `skopeo-${path}`, `${app}:${format}`)
      expect(pushed).toMatch(new RegExp(`^${app}@sha256:`))
      expect(await stowage('validate', `${app}:${format}`)).toContain('is valid')
    }
  })

  it('what is attached is discovered, though a registry may not know of referrers', async () => {
    await using registry = await start()
    const app = `${registry.host}/app`
    const digest = await pushImage(`${app}:v1`, 'hello')
    await writeFile(join(base, 'sbom.json'), '{"spdxVersion":"SPDX-2.3"}')
    const sbom = await stowage('attach', `${app}:v1`, 'sbom.json', '--artifact-type', 'application/spdx+json')
    await stowage('attach', sbom, '--artifact-type', 'application/vnd.example.signature', '-a', 'signed-by=somebody')
    const tree = await stowage('discover', `${app}:v1`)
    expect(tree).toMatch(/└── application\/spdx\+json .*\n {4}└── application\/vnd\.example\.signature /)
    await stowage('cp', '-r', `${app}:v1`, 'ocidir:layout:v1')
    expect(await stowage('discover', 'ocidir:layout:v1')).toBe(tree.replace(app, 'ocidir:layout'))
    await using other = await start()
    await stowage('cp', '-r', 'ocidir:layout:v1', `${other.host}/app:v1`)
    expect(await stowage('discover', `${other.host}/app@${digest}`)).toBe(tree.replace(registry.host, other.host))
  })
})

describe('artifacts', () => {
  it('are copied by skopeo, and tar reads what we packed', async () => {
    await using registry = await createTestRegistry()
    const site = `${registry.host}/site`
    await mkdir(join(base, 'public/css'), { recursive: true })
    await writeFile(join(base, 'public/index.html'), '<p>')
    await writeFile(join(base, 'public/css/a.css'), 'p {}')
    await stowage('artifact', 'push', `${site}:v1`, 'public')
    await skopeo('copy', '--src-tls-verify=false', `docker://${site}:v1`, 'oci:copied:v1')
    await stowage('artifact', 'pull', 'ocidir:copied:v1', '-o', 'out')
    expect(await readFile(join(base, 'out/public/css/a.css'), 'utf8')).toBe('p {}')
    await stowage('artifact', 'pull', `${site}:v1`, '-o', 'packed', '--keep-packed')
    const { stdout } = await run('tar', ['-tzf', 'packed/public'], { cwd: base })
    expect(stdout.trim().split('\n')).toEqual(['public/', 'public/css/', 'public/css/a.css', 'public/index.html'])
  })

  it('that others packed with tar are unpacked', async () => {
    await using registry = await createTestRegistry()
    const site = `${registry.host}/site`
    await mkdir(join(base, 'from/data'), { recursive: true })
    await writeFile(join(base, 'from/data/run.sh'), '#!/bin/sh\necho ran\n', { mode: 0o755 })
    await run('tar', ['--format=pax', '-czf', 'data.tgz', '-C', 'from', 'data'], { cwd: base })
    const notes = { 'data.tgz': { 'io.deis.oras.content.unpack': 'true', 'org.opencontainers.image.title': 'data' } }
    await writeFile(join(base, 'notes.json'), JSON.stringify({ 'data.tgz': { 'io.deis.oras.content.unpack': 'true' } }))
    await stowage('artifact', 'push', `${site}:v1`, 'data.tgz', '--annotation-file', 'notes.json')
    const renamed = (await stowage('manifest', `${site}:v1`)).replace(
      '"data.tgz"',
      JSON.stringify(notes['data.tgz']['org.opencontainers.image.title']),
    )
    await writeFile(join(base, 'renamed.json'), renamed)
    await stowage('manifest', 'put', `${site}:v2`, 'renamed.json')
    await stowage('artifact', 'pull', `${site}:v2`, '-o', 'out')
    expect((await run(join(base, 'out/data/run.sh'), [])).stdout).toBe('ran\n')
  })
})
