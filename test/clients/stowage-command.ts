/** Our own commands: between a layout, archives and the registry, with files, referrers, and a look at what is there. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.ts'
import type { Client } from './harness.ts'
import { foreignPlatform, hostPlatform, OciLayout, readLayoutIndex } from './oci-layout.ts'
import { repositoryRoot } from './stowage-server.ts'

/** The command as it was built, with what a person's environment could add taken away. */
export const stowageCommand = (workDir: string, signal: AbortSignal) => {
  const program = join(repositoryRoot, 'packages', 'stowage', 'dist', 'main.js')
  const env = { DOCKER_CONFIG: workDir, HOME: workDir, NO_COLOR: '1' }
  return async (args: readonly string[], exitCodes: readonly number[] = [0], input = '') =>
    run(process.execPath, [program, ...args], { cwd: workDir, signal, env, exitCodes, input })
}

export const stowageClient: Client = {
  name: 'stowage',
  modes: ['relative', 'absolute'],
  async run({ check, step, host, workDir, signal, repository }) {
    const command = stowageCommand(workDir, signal)
    const call = async (...args: string[]) => (await command(args)).stdout.trim()
    const remote = `${host}/${repository('app')}`
    const second = `${host}/${repository('second')}`

    const layout = new OciLayout(join(workDir, 'layout'))
    const image = await layout.writeImage(hostPlatform, { hello: 'hello\n', 'usr/world': 'world\n' })
    const foreign = await layout.writeImage(foreignPlatform, { hello: 'hello, other machine\n' })
    const index = await layout.writeIndex([image, foreign])
    await layout.finish({ one: image, many: index })
    const local = `ocidir:${layout.directory}`

    await step('copies from a layout, with all platforms, and prints one line that another command takes', async () => {
      const printed = await call('cp', `${local}:many`, `${remote}:many`)
      equal(printed, `${remote}@${index.digest}`)
      equal(await call('digest', printed), index.digest)
    })
    await check('copies within the registry by mounts', async () => {
      const { blobs } = JSON.parse(await call('cp', `${remote}:many`, `${second}:many`, '--format', 'json'))
      deepEqual([blobs.copied, blobs.mounted > 0], [0, true])
    })
    await check('copies one platform', async () => {
      const { os, architecture } = foreignPlatform
      await call('cp', '--platform', `${os}/${architecture}`, `${remote}:many`, `${remote}:foreign`)
      equal(await call('digest', `${remote}:foreign`), foreign.digest)
    })
    for (const [format, scheme] of [
      ['oci', 'oci-archive'],
      ['oci-dir', 'ocidir'],
      ['docker', 'docker-archive'],
    ] as const) {
      await check(`pulls into ${scheme}, pushes it again, and has the same image`, async () => {
        const path = join(workDir, `pulled-${format}`)
        const { os, architecture } = hostPlatform
        await call('pull', `${remote}:many`, path, '--format', format, '--platform', `${os}/${architecture}`)
        await call('push', path, `${second}:${format}`)
        equal(await call('digest', `${second}:${format}`), image.digest)
        match(await call('validate', `${second}:${format}`), /is valid/)
      })
    }
    await check('copies from the registry into a layout and back', async () => {
      const target = join(workDir, 'copied')
      await call('cp', `${remote}:many`, `ocidir:${target}:many`)
      deepEqual(
        (await readLayoutIndex(target)).map(({ digest }) => digest),
        [index.digest],
      )
      equal(await call('cp', `ocidir:${target}:many`, `${second}:back`), `${second}@${index.digest}`)
    })
    await check('pushes files and pulls them', async () => {
      await writeFile(join(workDir, 'report.txt'), 'all is well\n')
      const options = ['--artifact-type', 'application/vnd.example.report']
      await call('push', `${second}:report`, 'report.txt:text/plain', ...options)
      await call('artifact', 'pull', `${second}:report`, '-o', join(workDir, 'files'))
      equal(await readFile(join(workDir, 'files', 'report.txt'), 'utf8'), 'all is well\n')
    })
    await check('attaches, discovers and copies what refers to an image', async () => {
      await writeFile(join(workDir, 'sbom.json'), '{}')
      const options = ['--artifact-type', 'application/spdx+json']
      const attached = (await call('attach', `${remote}:many`, 'sbom.json', ...options)).replace(/^.*@/, '')
      const { referrers } = JSON.parse(await call('discover', `${remote}:many`, '--format', 'json'))
      deepEqual(
        referrers.map(({ digest }: { digest: string }) => digest),
        [attached],
      )
      await call('cp', '-r', `${remote}:many`, `ocidir:${join(workDir, 'with-referrers')}:many`)
      match(await call('discover', `ocidir:${join(workDir, 'with-referrers')}:many`), /application\/spdx\+json/)
    })
    await check('syncs all tags, and finds them there the second time', async () => {
      const third = `${host}/${repository('third')}`
      await call('sync', second, third)
      equal(await call('ls', third), await call('ls', second))
      const again = JSON.parse(await call('sync', second, third, '--format', 'json'))
      ok(JSON.stringify(again).includes('existing'), JSON.stringify(again))
    })
    await check('lists, measures, and deletes a tag and nothing else', async () => {
      await call('tag', `${remote}:many`, 'gone')
      deepEqual((await call('ls', remote)).split('\n'), ['foreign', 'gone', 'many'])
      await call('tag', 'rm', `${remote}:gone`)
      deepEqual((await call('ls', remote)).split('\n'), ['foreign', 'many'])
      match(await call('du', remote), /many/)
      ok((await call('catalog', host)).includes(repository('app')))
    })
    await check('says with its exit code that there is no such tag', async () => {
      const { stderr } = await command(['digest', `${remote}:none`], [3])
      match(stderr, new RegExp(`${remote}:none.*404`))
    })
  },
}
