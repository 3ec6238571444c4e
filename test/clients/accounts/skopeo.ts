/** skopeo where accounts are on: logs in, copies, lists, inspects; without a login only what is public. */
import { deepEqual, equal, match } from 'node:assert/strict'
import { join } from 'node:path'
import { findProgram, run } from '../command.ts'
import { hostPlatform, OciLayout, readLayoutIndex } from '../oci-layout.ts'
import type { AccountsClient, Login } from './test-accounts.ts'

export const skopeo: AccountsClient = {
  name: 'skopeo',
  async run({ check, step, host, workDir, signal, repository, accounts }) {
    const program = findProgram('skopeo')
    const as = (who: string) => {
      const env = { REGISTRY_AUTH_FILE: join(workDir, `auth-${who}.json`), DOCKER_CONFIG: workDir }
      const call = async (args: readonly string[], exitCodes = [0], input = '') =>
        run(program, ['--insecure-policy', ...args], { signal, env, exitCodes, input })
      return {
        call: async (...args: string[]) => (await call(args)).stdout.trim(),
        fails: async (...args: string[]) => (await call(args, [1])).stderr,
        logIn: async ({ name, password }: Login, exitCodes = [0]) =>
          call(['login', '--tls-verify=false', '--username', name, '--password-stdin', host], exitCodes, password),
      }
    }
    const [writer, reader, nobody] = [as('writer'), as('reader'), as('nobody')]
    const [name, open] = [`team/${repository('app')}`, `public/${repository('app')}`]
    const remote = (repositoryName: string) => `docker://${host}/${repositoryName}:one`
    const layout = new OciLayout(join(workDir, 'layout'))
    const image = await layout.writeImage(hostPlatform, { hello: 'hello from skopeo\n' })
    await layout.finish({ one: image })
    const local = `oci:${layout.directory}:one`

    await check('is told that a password is wrong', async () => {
      const { stderr } = await nobody.logIn(accounts.wrong, [1])
      match(stderr, /invalid username\/password|unauthorized/)
    })
    await step('logs in with a password and pushes', async () => {
      match((await writer.logIn(accounts.writer)).stdout, /Login Succeeded/)
      await writer.call('copy', '--dest-tls-verify=false', local, remote(name))
    })
    await check('copies from a private repository to a public one', async () => {
      const noTls = ['--src-tls-verify=false', '--dest-tls-verify=false']
      await writer.call('copy', ...noTls, remote(name), remote(open))
    })
    await check('logs in with a personal token, lists the tags and inspects', async () => {
      const holder = as('holder')
      match((await holder.logIn(accounts.writerToken)).stdout, /Login Succeeded/)
      deepEqual(JSON.parse(await holder.call('list-tags', '--tls-verify=false', `docker://${host}/${name}`)).Tags, [
        'one',
      ])
      const digest = await holder.call('inspect', '--tls-verify=false', '--format', '{{.Digest}}', remote(name))
      equal(digest, image.digest)
    })
    await check('pulls as a reader, who is refused to push', async () => {
      await reader.logIn(accounts.reader)
      const target = join(workDir, 'pulled')
      await reader.call('copy', '--src-tls-verify=false', remote(name), `oci:${target}:one`)
      deepEqual(
        (await readLayoutIndex(target)).map(({ digest }) => digest),
        [image.digest],
      )
      match(await reader.fails('copy', '--dest-tls-verify=false', local, remote(name)), /denied|unauthorized/)
    })
    await check('pulls a public repository without a login, and no private one', async () => {
      await nobody.call('copy', '--src-tls-verify=false', remote(open), `oci:${join(workDir, 'open')}:one`)
      match(await nobody.fails('inspect', '--tls-verify=false', remote(name)), /denied|unauthorized/)
      match(await nobody.fails('copy', '--dest-tls-verify=false', local, remote(open)), /denied|unauthorized/)
    })
    await check('logs out, and may then no more than anybody', async () => {
      await writer.call('logout', host)
      match(await writer.fails('inspect', '--tls-verify=false', remote(name)), /denied|unauthorized/)
      await writer.call('inspect', '--tls-verify=false', remote(open))
    })
  },
}
