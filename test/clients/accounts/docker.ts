/** Docker where accounts are on: logs in with a password and a personal token, pushes and pulls by Bearer tokens, logs out. */
import { equal, match, ok } from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, run } from '../command.ts'
import { startDockerDaemon } from '../docker-daemon.ts'
import type { AccountsClient, Login } from './test-accounts.ts'

export const docker: AccountsClient = {
  name: 'docker',
  async run({ check, step, host, workDir, signal, repository, accounts }) {
    await using daemon = await startDockerDaemon(workDir, host, signal)
    /** The client of somebody, who has a directory for what it remembers. */
    const as = (who: string) => {
      const env = { DOCKER_CONFIG: join(workDir, `config-${who}`) }
      return {
        call: async (...args: string[]) => (await daemon.docker(args, { env })).stdout.trim(),
        fails: async (...args: string[]) => (await daemon.docker(args, { env, exitCodes: [1] })).stderr,
        logIn: async ({ name, password }: Login, exitCodes = [0]) =>
          daemon.docker(['login', host, '--username', name, '--password-stdin'], { env, input: password, exitCodes }),
        kept: async () => readFile(join(env.DOCKER_CONFIG, 'config.json'), 'utf8'),
      }
    }
    const [writer, holder, reader, nobody] = [as('writer'), as('holder'), as('reader'), as('nobody')]
    const image = `${host}/team/${repository('app')}:one`
    const open = `${host}/public/${repository('app')}:one`

    await check('is told that a password is wrong', async () => {
      const { stderr } = await nobody.logIn(accounts.wrong, [1])
      match(stderr, /unauthorized/)
      const unknown = await nobody.logIn({ name: 'nobody', password: 'not a password' }, [1])
      match(unknown.stderr, /unauthorized/)
    })
    await step('logs in with a password, which it need not keep', async () => {
      match((await writer.logIn(accounts.writer)).stdout, /Login Succeeded/)
      const { auths }: { auths: Record<string, { auth: string; identitytoken?: string }> } = JSON.parse(
        await writer.kept(),
      )
      match(auths[host]?.identitytoken ?? '', /^stwr_/)
      ok(!Buffer.from(auths[host]?.auth ?? '', 'base64').includes(accounts.writer.password))
    })
    const id = await step('pushes to a private and to a public repository', async () => {
      await writeFile(join(workDir, 'hello'), 'hello\n')
      await run(findProgram('tar'), ['-C', workDir, '-cf', join(workDir, 'hello.tar'), 'hello'], { signal })
      await writer.call('import', join(workDir, 'hello.tar'), image)
      await writer.call('push', image)
      await writer.call('tag', image, open)
      match(await writer.call('push', open), /Mounted from team\//)
      return writer.call('image', 'inspect', '--format', '{{.Id}}', image)
    })
    const pulls = async (client: ReturnType<typeof as>, reference: string) => {
      const known = await client.call('image', 'ls', '--quiet', '--no-trunc')
      if (known !== '') await client.call('image', 'rm', '--force', ...new Set(known.split('\n')))
      await client.call('pull', reference)
      equal(await client.call('image', 'inspect', '--format', '{{.Id}}', reference), id)
    }
    await check('pulls it back', () => pulls(writer, image))
    await check('logs in with a personal token, pulls and pushes', async () => {
      match((await holder.logIn(accounts.writerToken)).stdout, /Login Succeeded/)
      await pulls(holder, image)
      await holder.call('tag', image, `${image}-by-token`)
      await holder.call('push', `${image}-by-token`)
    })
    await check('logs in as a reader, who pulls and is refused to push', async () => {
      match((await reader.logIn(accounts.reader)).stdout, /Login Succeeded/)
      await pulls(reader, image)
      await reader.call('tag', image, `${image}-of-reader`)
      match(await reader.fails('push', `${image}-of-reader`), /denied|unauthorized|authorization failed/i)
    })
    await check('pulls a public repository without a login, and no private one', async () => {
      await pulls(nobody, open)
      match(await nobody.fails('pull', image), /denied|unauthorized|no basic auth/i)
      match(await nobody.fails('push', open), /denied|unauthorized|no basic auth/i)
    })
    await check('logs out, and may then no more than anybody', async () => {
      await writer.call('logout', host)
      match(await writer.fails('pull', image), /denied|unauthorized|no basic auth/i)
      await pulls(writer, open)
    })
  },
}
