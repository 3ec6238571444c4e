/** skopeo: copies between OCI layouts and the registry and inside the registry, one platform or all, OCI or Docker manifests. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { sha256, writeGeneratedFile } from './generated-data.ts'
import { join } from 'node:path'
import { findProgram, run } from './command.ts'
import type { Client } from './harness.ts'
import {
  digestOfFile,
  foreignPlatform,
  hostPlatform,
  type LayoutIndex,
  mediaTypes,
  OciLayout,
  readLayoutIndex,
} from './oci-layout.ts'

const noTls = { source: '--src-tls-verify=false', destination: '--dest-tls-verify=false', only: '--tls-verify=false' }

export const skopeo: Client = {
  name: 'skopeo',
  modes: ['relative', 'absolute'],
  async run({ check, step, host, workDir, signal, largeLayerBytes, mode, repository }) {
    const program = findProgram('skopeo')
    // Without a policy file skopeo refuses to work where the machine has none in /etc/containers.
    const call = async (...args: string[]) => (await run(program, ['--insecure-policy', ...args], { signal })).stdout
    const first = repository('first')
    const second = repository('second')
    const remote = (name: string, reference: string) =>
      `docker://${host}/${name}${reference.startsWith('sha256:') ? '@' : ':'}${reference}`
    const inspectRaw = async (reference: string) => {
      const manifest: { readonly mediaType?: string } & LayoutIndex = JSON.parse(
        await call('inspect', '--raw', noTls.only, reference),
      )
      return manifest
    }
    // With an index `inspect` answers the digest of the index under the name of one of its images: hash what is served.
    const manifestDigest = async (reference: string) => sha256(await call('inspect', '--raw', noTls.only, reference))
    const digestOf = async (reference: string) =>
      (await call('inspect', noTls.only, '--format', '{{.Digest}}', reference)).trim()

    const layout = new OciLayout(join(workDir, 'layout'))
    const image = await layout.writeImage(hostPlatform, { hello: 'hello\n', 'usr/world': 'world\n' })
    const foreign = await layout.writeImage(foreignPlatform, { hello: 'hello, other machine\n' })
    const index = await layout.writeIndex([image, foreign])
    await layout.finish({ one: image, many: index })
    const local = (tag: string) => `oci:${layout.directory}:${tag}`

    await step('pushes an image from an OCI layout', async () => {
      await call('copy', noTls.destination, local('one'), remote(first, 'one'))
      equal(await digestOf(remote(first, 'one')), image.digest)
    })
    await check('pulls it back into a layout with the same digest', async () => {
      const target = join(workDir, 'pulled')
      await call('copy', noTls.source, remote(first, 'one'), `oci:${target}:one`)
      deepEqual(await digests(target), [image.digest])
    })
    await check('pulls it by digest', async () => {
      const target = join(workDir, 'pulled-by-digest')
      await call('copy', noTls.source, remote(first, image.digest), `oci:${target}:one`)
      deepEqual(await digests(target), [image.digest])
    })
    await check('inspects its config', async () => {
      const facts = JSON.parse(await call('inspect', noTls.only, remote(first, 'one')))
      equal(facts.Architecture, hostPlatform.architecture)
      equal(facts.Labels['org.example.client'], 'stowage')
      equal(facts.Layers.length, 2)
    })
    await step('pushes an index with all its platforms', async () => {
      await call('copy', '--all', noTls.destination, local('many'), remote(first, 'many'))
      const manifests = (await inspectRaw(remote(first, 'many'))).manifests
      deepEqual(
        manifests.map(({ digest }) => digest),
        [image.digest, foreign.digest],
      )
    })
    await check('pulls the index with all its platforms, byte for byte', async () => {
      const target = join(workDir, 'pulled-index')
      await call('copy', '--all', noTls.source, remote(first, 'many'), `oci:${target}:many`)
      deepEqual(await digests(target), [index.digest])
      const child = join(target, 'blobs', 'sha256', foreign.digest.replace('sha256:', ''))
      equal(await digestOfFile(child), foreign.digest)
    })
    await check('pulls one platform out of the index', async () => {
      const target = join(workDir, 'pulled-platform')
      const { os, architecture } = foreignPlatform
      const platform = ['--override-os', os, '--override-arch', architecture]
      await call(...platform, 'copy', noTls.source, remote(first, 'many'), `oci:${target}:foreign`)
      deepEqual(await digests(target), [foreign.digest])
    })
    await check('copies the index from one repository to another', async () => {
      await call('copy', '--all', noTls.source, noTls.destination, remote(first, 'many'), remote(second, 'many'))
      equal(await manifestDigest(remote(second, 'many')), index.digest)
      const target = join(workDir, 'pulled-second')
      await call('copy', '--all', noTls.source, remote(second, 'many'), `oci:${target}:many`)
      deepEqual(await digests(target), [index.digest])
    })
    await check('pushes Docker schema 2 and gets it back as it is', async () => {
      await call('copy', '--format', 'v2s2', noTls.destination, local('one'), remote(first, 'docker'))
      const manifest = await inspectRaw(remote(first, 'docker'))
      equal(manifest.mediaType, mediaTypes.dockerManifest)
      const target = join(workDir, 'pulled-docker')
      await call('copy', noTls.source, remote(first, 'docker'), `dir:${target}`)
      equal(await digestOfFile(join(target, 'manifest.json')), await digestOf(remote(first, 'docker')))
    })
    await check('pushes a Docker manifest list', async () => {
      await call('copy', '--all', '--format', 'v2s2', noTls.destination, local('many'), remote(first, 'docker-list'))
      const list = await inspectRaw(remote(first, 'docker-list'))
      equal(list.mediaType, mediaTypes.dockerList)
      equal(list.manifests.length, 2)
    })
    await check('lists the tags', async () => {
      const { Tags } = JSON.parse(await call('list-tags', noTls.only, `docker://${host}/${first}`))
      deepEqual(Tags, ['docker', 'docker-list', 'many', 'one'])
    })
    await check('moves a tag to another manifest', async () => {
      await call('copy', noTls.destination, local('one'), remote(first, 'moved'))
      const { os, architecture } = foreignPlatform
      const platform = ['--override-os', os, '--override-arch', architecture]
      await call(...platform, 'copy', noTls.destination, local('many'), remote(first, 'moved'))
      equal(await manifestDigest(remote(first, 'moved')), foreign.digest)
    })
    await check('deletes a manifest and with it its tag', async () => {
      await call('delete', noTls.only, remote(first, 'docker-list'))
      const gone = await run(program, ['inspect', '--raw', noTls.only, remote(first, 'docker-list')], {
        signal,
        exitCodes: [1],
      })
      ok(/manifest unknown/i.test(gone.stderr), gone.stderr)
      const { Tags } = JSON.parse(await call('list-tags', noTls.only, `docker://${host}/${first}`))
      deepEqual(Tags, ['docker', 'many', 'moved', 'one'])
    })

    if (mode !== 'relative') return
    const large = new OciLayout(join(workDir, 'large'))
    const layer = await large.writeLargeLayer('large', (path) => writeGeneratedFile(path, largeLayerBytes, 'skopeo'))
    const largeImage = await large.writeManifest(hostPlatform, [layer])
    await large.finish({ large: largeImage })
    await step(`pushes a layer of ${layer.descriptor.size} bytes`, () =>
      call('copy', noTls.destination, `oci:${large.directory}:large`, remote(first, 'large')),
    )
    await check('pulls it back', async () => {
      const target = join(workDir, 'pulled-large')
      await call('copy', noTls.source, remote(first, 'large'), `oci:${target}:large`)
      deepEqual(await digests(target), [largeImage.digest])
      const blob = join(target, 'blobs', 'sha256', layer.descriptor.digest.replace('sha256:', ''))
      equal(await digestOfFile(blob), layer.descriptor.digest)
    })
  },
}

async function digests(directory: string): Promise<readonly string[]> {
  return (await readLayoutIndex(directory)).map(({ digest }) => digest)
}
