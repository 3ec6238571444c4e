/** podman where accounts are on: logs in, pushes, pulls, logs out. */
import { match } from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, run } from '../command.ts'
import type { AccountsClient, Login } from './test-accounts.ts'

export const podman: AccountsClient = {
  name: 'podman',
  async run({ check, step, host, workDir, signal, repository, accounts }) {
    const program = findProgram('podman')
    const policy = join(workDir, 'policy.json')
    await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
    const store = ['--root', join(workDir, 'root'), '--runroot', join(workDir, 'run'), '--tmpdir', join(workDir, 'tmp')]
    const over = ['--tls-verify=false', '--signature-policy', policy]
    const as = async (who: string) => {
      // It insists on a file that it is told of.
      await writeFile(join(workDir, `auth-${who}.json`), '{}')
      const env = { REGISTRY_AUTH_FILE: join(workDir, `auth-${who}.json`), DOCKER_CONFIG: workDir }
      const call = async (args: readonly string[], exitCodes = [0], input = '') =>
        run(program, [...store, '--storage-driver', 'vfs', ...args], { signal, env, exitCodes, input })
      return {
        call: async (...args: string[]) => (await call(args)).stdout.trim(),
        fails: async (...args: string[]) => (await call(args, [125])).stderr,
        logIn: async ({ name, password }: Login, exitCodes = [0]) =>
          call(['login', '--tls-verify=false', '--username', name, '--password-stdin', host], exitCodes, password),
      }
    }
    const [writer, reader, nobody] = [await as('writer'), await as('reader'), await as('nobody')]
    const name = `${host}/team/${repository('imported')}:one`
    const open = `${host}/public/${repository('imported')}:one`

    await step('imports an image', async () => {
      await writeFile(join(workDir, 'hello'), 'hello\n')
      await run(findProgram('tar'), ['-C', workDir, '-cf', join(workDir, 'layer.tar'), 'hello'], { signal })
      await nobody.call('import', join(workDir, 'layer.tar'), 'localhost/imported:one')
    })
    await check('is told that a password is wrong', async () => {
      const { stderr } = await nobody.logIn(accounts.wrong, [125])
      match(stderr, /invalid username\/password|unauthorized/)
    })
    await step('logs in with a personal token and pushes', async () => {
      match((await writer.logIn(accounts.writerToken)).stdout, /Login Succeeded/)
      for (const target of [name, open]) {
        await writer.call('push', ...over, 'localhost/imported:one', `docker://${target}`)
      }
    })
    await check('pulls it back as a reader, who is refused to push', async () => {
      match((await reader.logIn(accounts.reader)).stdout, /Login Succeeded/)
      await reader.call('pull', ...over, name)
      match(await reader.fails('push', ...over, name, `docker://${name}-of-reader`), /denied|unauthorized/)
      await reader.call('image', 'rm', name)
    })
    await check('pulls a public repository without a login, and no private one', async () => {
      await nobody.call('pull', ...over, open)
      match(await nobody.fails('pull', ...over, name), /denied|unauthorized/)
    })
    await check('logs out, and may then no more than anybody', async () => {
      await writer.call('logout', host)
      match(await writer.fails('pull', ...over, name), /denied|unauthorized/)
    })
  },
}
