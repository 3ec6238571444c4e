/** podman: imports an image into a store of its own, pushes it (as OCI and as Docker schema 2), removes it and pulls it back. */
import { equal, match } from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, run } from './command.ts'
import type { Client } from './harness.ts'
import { mediaTypes } from './oci-layout.ts'

export const podman: Client = {
  name: 'podman',
  modes: ['relative', 'absolute'],
  async run({ check, step, host, url, workDir, signal, repository }) {
    const program = findProgram('podman')
    const policy = join(workDir, 'policy.json')
    await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
    const store = ['--root', join(workDir, 'root'), '--runroot', join(workDir, 'run'), '--tmpdir', join(workDir, 'tmp')]
    const call = async (command: string, ...args: string[]) =>
      (await run(program, [...store, '--storage-driver', 'vfs', command, ...args], { signal })).stdout.trim()
    const name = repository('imported')

    const id = await step('imports an image', async () => {
      const layer = join(workDir, 'layer.tar')
      await writeFile(join(workDir, 'hello'), 'hello\n')
      await run(findProgram('tar'), ['-C', workDir, '-cf', layer, 'hello'], { signal })
      await call('import', layer, 'localhost/imported:one')
      return call('image', 'inspect', '--format', '{{.Id}}', 'localhost/imported:one')
    })
    for (const [format, mediaType] of [
      ['oci', mediaTypes.manifest],
      ['v2s2', mediaTypes.dockerManifest],
    ] as const) {
      const remote = `${host}/${name}:${format}`
      await check(`pushes it as ${format} and pulls it back`, async () => {
        const push = ['--tls-verify=false', '--signature-policy', policy, '--format', format]
        await call('push', ...push, 'localhost/imported:one', `docker://${remote}`)
        const served = await fetch(`${url}/v2/${name}/manifests/${format}`, { headers: { accept: mediaType }, signal })
        equal(served.headers.get('content-type'), mediaType)
        await served.body?.cancel()
        // Under its own name only, so that the pull has to bring it.
        await call('pull', '--tls-verify=false', '--signature-policy', policy, remote)
        await call('image', 'rm', remote)
        await call('image', 'rm', 'localhost/imported:one')
        await call('pull', '--tls-verify=false', '--signature-policy', policy, remote)
        const pulled = await call('image', 'inspect', '--format', '{{.Id}}', remote)
        if (format === 'oci') equal(pulled, id)
        await call('tag', remote, 'localhost/imported:one')
        await call('image', 'rm', remote)
      })
    }
    await check('is told of a tag that is not there', async () => {
      const args = [...store, '--storage-driver', 'vfs', 'pull', '--tls-verify=false', '--signature-policy', policy]
      const { stderr } = await run(program, [...args, `${host}/${name}:none`], { signal, exitCodes: [125] })
      match(stderr, /manifest unknown/)
    })
  },
}
