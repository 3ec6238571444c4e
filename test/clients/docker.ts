/** A real Docker daemon: pushes and pulls what it imported and built, mounts layers across repositories, a manifest list, 1 GiB. */
import { deepEqual, equal, match } from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, run } from './command.ts'
import { startDockerDaemon } from './docker-daemon.ts'
import { writeGeneratedFile } from './generated-data.ts'
import type { Client } from './harness.ts'
import { foreignPlatform, hostPlatform, mediaTypes } from './oci-layout.ts'
import { stowageCommand } from './stowage-command.ts'

export const docker: Client = {
  name: 'docker',
  modes: ['relative'],
  async run({ check, step, host, url, workDir, signal, largeLayerBytes, repository, log }) {
    await using daemon = await startDockerDaemon(workDir, host, signal)
    const call = async (...args: string[]) => (await daemon.docker(args)).stdout.trim()
    const stowage = stowageCommand(workDir, signal)
    const name = (image: string) => `${host}/${repository(image)}`
    const idOf = (image: string) => call('image', 'inspect', '--format', '{{.Id}}', image)
    log(`docker ${await call('version', '--format', '{{.Server.Version}} (client {{.Client.Version}})')}`)

    const imported = `${name('imported')}:one`
    const importedId = await step('pushes an imported image', async () => {
      await call('import', await tarball('small', 'hello\n'), imported)
      await call('push', imported)
      return idOf(imported)
    })
    await check('pulls it back as the same image', async () => {
      await call('image', 'rm', imported)
      await call('pull', imported)
      equal(await idOf(imported), importedId)
    })

    const built = `${name('built')}:one`
    const builtId = await step('pushes a built image of several layers', async () => {
      await build(built, hostPlatform.architecture)
      await call('push', built)
      equal((await call('image', 'inspect', '--format', '{{len .RootFS.Layers}}', built)).trim(), '3')
      return idOf(built)
    })
    const digest = await step('is told the digest of what it pushed', async () => {
      const known = await call('image', 'inspect', '--format', '{{index .RepoDigests 0}}', built)
      match(known, /@sha256:[0-9a-f]{64}$/)
      return known.replace(/^.*@/, '')
    })
    await check('mounts its layers into a second repository', async () => {
      const second = `${name('second')}:one`
      await call('tag', built, second)
      const output = await call('push', second)
      equal(output.match(/Mounted from/g)?.length, 3, output)
    })
    await check('pushes again and finds every layer there', async () => {
      const output = await call('push', built)
      equal(output.match(/Layer already exists/g)?.length, 3, output)
    })
    await check('pulls by digest', async () => {
      await removeAll()
      await call('pull', `${name('built')}@${digest}`)
      equal(await idOf(`${name('built')}@${digest}`), builtId)
    })
    await check('pulls all tags of a repository', async () => {
      await call('pull', built)
      await call('tag', built, `${name('built')}:two`)
      await call('push', '--all-tags', name('built'))
      await removeAll()
      await call('pull', '--all-tags', name('built'))
      const tags = await call('image', 'ls', '--format', '{{.Tag}}', name('built'))
      deepEqual(tags.split('\n').toSorted(), ['one', 'two'])
    })
    await check('pushes a manifest list of two platforms and pulls its own', async () => {
      const list = name('list')
      const [own, foreign] = [`${list}:own`, `${list}:foreign`]
      await build(own, hostPlatform.architecture)
      await build(foreign, foreignPlatform.architecture)
      const ownId = await idOf(own)
      await call('push', own)
      await call('push', foreign)
      await call('manifest', 'create', '--insecure', `${list}:all`, own, foreign)
      await call('manifest', 'annotate', '--arch', foreignPlatform.architecture, `${list}:all`, foreign)
      await call('manifest', 'push', '--insecure', `${list}:all`)
      await removeAll()
      await call('pull', `${list}:all`)
      equal(await idOf(`${list}:all`), ownId)
      const served = await fetch(`${url}/v2/${repository('list')}/manifests/all`, {
        headers: { accept: mediaTypes.dockerList },
        signal,
      })
      equal(served.headers.get('content-type'), mediaTypes.dockerList)
      const { manifests }: { manifests: { platform: { architecture: string } }[] } = JSON.parse(await served.text())
      deepEqual(
        manifests.map(({ platform }) => platform.architecture).toSorted(),
        [hostPlatform.architecture, foreignPlatform.architecture].toSorted(),
      )
    })
    await check('is told of a tag that is not there', async () => {
      const { stderr } = await daemon.docker(['pull', `${name('built')}:none`], { exitCodes: [1] })
      match(stderr, /manifest (for .* not found|unknown)/)
    })

    await check('loads an archive that stowage wrote', async () => {
      const archive = join(workDir, 'pulled.tar')
      await stowage(['pull', built, archive, '--format', 'docker'])
      await removeAll()
      match(await call('load', '--input', archive), /Loaded image/)
      equal(await idOf(built), builtId)
    })
    await check('saves an archive that stowage pushes', async () => {
      const archive = join(workDir, 'saved.tar')
      await call('save', '--output', archive, built)
      await stowage(['push', archive, `${name('from-archive')}:one`])
      await removeAll()
      await call('pull', `${name('from-archive')}:one`)
      equal(await idOf(`${name('from-archive')}:one`), builtId)
    })

    const large = `${name('large')}:one`
    const largeId = await step(`pushes a layer of ${largeLayerBytes} bytes`, async () => {
      const file = await tarball('large', (path) => writeGeneratedFile(path, largeLayerBytes, 'docker'))
      await call('import', file, large)
      await rm(file)
      await call('push', large)
      return idOf(large)
    })
    await check('pulls the large layer back as the same image', async () => {
      await removeAll()
      await call('pull', large)
      equal(await idOf(large), largeId)
    })

    async function removeAll(): Promise<void> {
      const images = await call('image', 'ls', '--quiet', '--no-trunc')
      if (images !== '') await call('image', 'rm', '--force', ...new Set(images.split('\n')))
    }

    /** By the classic builder, which works without a bridge network as long as nothing is RUN. */
    async function build(tag: string, architecture: string): Promise<void> {
      const context = join(workDir, 'context')
      await mkdir(context, { recursive: true })
      const files = ['one', 'two', 'three']
      await Promise.all(files.map((file) => writeFile(join(context, file), `${file} for ${architecture}\n`)))
      await writeFile(
        join(context, 'Dockerfile'),
        ['FROM scratch', ...files.map((file) => `COPY ${file} /${file}`), 'LABEL org.example.client=stowage'].join(
          '\n',
        ),
      )
      await daemon.docker(['build', '--tag', tag, context], { env: { DOCKER_BUILDKIT: '0' } })
    }

    async function tarball(file: string, content: string | ((path: string) => Promise<void>)): Promise<string> {
      const path = join(workDir, file)
      await (typeof content === 'string' ? writeFile(path, content) : content(path))
      await run(findProgram('tar'), ['-C', workDir, '-cf', `${path}.tar`, file], { signal })
      await rm(path)
      return `${path}.tar`
    }
  },
}
