/** Our own client where accounts are on: logs in, copies, pushes, pulls, lists; and the tutorial in TypeScript by Bearer. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../command.ts'
import { hostPlatform, OciLayout } from '../oci-layout.ts'
import { stowageCommand } from '../stowage-command.ts'
import { repositoryRoot } from '../stowage-server.ts'
import type { AccountsClient, Login } from './test-accounts.ts'

export const stowageClient: AccountsClient = {
  name: 'stowage',
  async run({ check, step, host, url, workDir, signal, repository, accounts }) {
    const as = async (who: string) => {
      const home = join(workDir, `home-${who}`)
      await mkdir(home)
      const command = stowageCommand(home, signal)
      return {
        home,
        call: async (...args: string[]) => (await command(args)).stdout.trim(),
        fails: async (...args: string[]) => command(args, [1, 2, 3, 4, 5, 6, 7, 8, 9, 77]),
        logIn: async ({ name, password }: Login, exitCodes: readonly number[] = [0]) =>
          command(['login', host, '--username', name, '--password-stdin'], exitCodes, password),
      }
    }
    const [writer, reader, nobody] = [await as('writer'), await as('reader'), await as('nobody')]
    const [name, open] = [`${host}/team/${repository('app')}`, `${host}/public/${repository('app')}`]
    const layout = new OciLayout(join(workDir, 'layout'))
    const image = await layout.writeImage(hostPlatform, { hello: 'hello from stowage\n' })
    await layout.finish({ one: image })

    await check('is told that a password is wrong', async () => {
      const { stderr } = await nobody.logIn(accounts.wrong, [1, 2, 3, 4, 5, 6, 7, 8, 9, 77])
      match(stderr, /401|unauthorized|password/i)
    })
    await step('logs in with a password, and copies from a layout', async () => {
      match((await writer.logIn(accounts.writer)).stdout, /Logged in/)
      equal(await writer.call('cp', `ocidir:${layout.directory}:one`, `${name}:one`), `${name}@${image.digest}`)
      await writer.call('cp', `${name}:one`, `${open}:one`)
    })
    await check('logs in with a personal token, pulls, pushes and lists', async () => {
      const holder = await as('holder')
      await holder.logIn(accounts.writerToken)
      const archive = join(workDir, 'pulled.tar')
      await holder.call('pull', `${name}:one`, archive)
      await holder.call('push', archive, `${name}:two`)
      deepEqual((await holder.call('ls', name)).split('\n'), ['one', 'two'])
    })
    await check('pulls as a reader, who is refused to push', async () => {
      await reader.logIn(accounts.reader)
      equal(await reader.call('digest', `${name}:one`), image.digest)
      match((await reader.fails('tag', `${name}:one`, 'three')).stderr, /denied|403|401/i)
      const repositories = (await reader.call('catalog', host)).split('\n')
      ok(repositories.includes(name.slice(host.length + 1)))
      ok(!repositories.includes('myorg/myrepo'), repositories.join(' '))
    })
    await check('pulls a public repository without a login, and no private one', async () => {
      equal(await nobody.call('digest', `${open}:one`), image.digest)
      match((await nobody.fails('digest', `${name}:one`)).stderr, /401|login/i)
    })
    await check('logs out, and keeps nothing', async () => {
      await writer.call('logout', host)
      const kept = await readFile(join(writer.home, 'config.json'), 'utf8')
      ok(!kept.includes(host), kept)
      await writer.fails('digest', `${name}:one`)
    })
    await check('does the tutorial in TypeScript', async () => {
      const program = join(repositoryRoot, 'examples', 'seed-tutorial.ts')
      const env = { STOWAGE_USERNAME: accounts.dinosaur.name, STOWAGE_PASSWORD: accounts.dinosaur.password }
      const { stdout } = await run(process.execPath, [program, url], { cwd: repositoryRoot, signal, env })
      match(stdout, /\ndone\n$/)
    })
  },
}
