/** crane, oras and regctl where accounts are on: each logs in, pushes, pulls, and is refused what nobody allowed. */
import { deepEqual, equal, match } from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandResult, run } from '../command.ts'
import { craneTool } from '../crane.ts'
import { type GoTool, installGoTool } from '../go-tool.ts'
import { hostPlatform, OciLayout, readLayoutIndex } from '../oci-layout.ts'
import { orasTool } from '../oras.ts'
import { regctlTool } from '../regctl.ts'
import type { AccountsClient, AccountsContext, Login } from './test-accounts.ts'

const refused = /denied|unauthorized/i

interface Person {
  call(...args: string[]): Promise<string>
  fails(...args: string[]): Promise<string>
  raw(args: readonly string[], exitCodes?: readonly number[], input?: string): Promise<CommandResult>
}

/** People have a directory each, where their client keeps what it remembers. */
const peopleOf = async ({ workDir, signal, log }: AccountsContext, tool: GoTool) => {
  const program = await installGoTool(tool, signal, log)
  return async (who: string): Promise<Person> => {
    const home = join(workDir, `home-${who}`)
    await mkdir(home, { recursive: true })
    const env = { DOCKER_CONFIG: home, REGCTL_CONFIG: join(home, 'regctl.json'), HOME: home }
    const raw: Person['raw'] = async (args, exitCodes = [0], input = '') =>
      run(program, args, { cwd: workDir, env, signal, exitCodes, input })
    return {
      raw,
      call: async (...args) => (await raw(args)).stdout.trim(),
      fails: async (...args) => (await raw(args, [1])).stderr,
    }
  }
}

const layoutIn = async (workDir: string) => {
  const layout = new OciLayout(join(workDir, 'layout'))
  const image = await layout.writeImage(hostPlatform, { hello: 'hello\n' })
  await layout.finish({ one: image })
  return { directory: layout.directory, digest: image.digest }
}

export const crane: AccountsClient = {
  name: 'crane',
  async run(context) {
    const { check, step, host, workDir, repository, accounts } = context
    const as = await peopleOf(context, craneTool)
    const [writer, reader, nobody] = [await as('writer'), await as('reader'), await as('nobody')]
    const logIn = async ({ raw }: Person, { name, password }: Login) =>
      raw(['auth', 'login', host, '--username', name, '--password-stdin'], [0], password)
    const [name, open] = [`${host}/team/${repository('app')}`, `${host}/public/${repository('app')}`]
    const image = await layoutIn(workDir)

    await step('logs in with a password, pushes and copies', async () => {
      await logIn(writer, accounts.writer)
      await writer.call('push', image.directory, `${name}:one`)
      await writer.call('copy', `${name}:one`, `${open}:one`)
    })
    await check('logs in with a personal token, lists and tags', async () => {
      const holder = await as('holder')
      await logIn(holder, accounts.writerToken)
      await holder.call('tag', `${name}:one`, 'two')
      deepEqual((await holder.call('ls', name)).split('\n').toSorted(), ['one', 'two'])
    })
    await check('shows in the catalog what a reader may pull', async () => {
      await logIn(reader, accounts.reader)
      const repositories = (await reader.call('catalog', host)).split('\n')
      deepEqual(
        [repositories.includes(name.slice(host.length + 1)), repositories.includes('myorg/myrepo')],
        [true, false],
      )
    })
    await check('pulls as a reader, who is refused to push', async () => {
      await reader.call('pull', '--format', 'oci', `${name}:one`, 'pulled')
      deepEqual(
        (await readLayoutIndex(join(workDir, 'pulled'))).map(({ digest }) => digest),
        [image.digest],
      )
      match(await reader.fails('push', image.directory, `${name}:three`), refused)
    })
    await check('is refused with a wrong password', async () => {
      const stranger = await as('stranger')
      await logIn(stranger, accounts.wrong)
      match(await stranger.fails('digest', `${name}:one`), refused)
    })
    await check('pulls a public repository without a login, and no private one', async () => {
      equal(await nobody.call('digest', `${open}:one`), image.digest)
      match(await nobody.fails('manifest', `${name}:one`), refused)
    })
  },
}

export const oras: AccountsClient = {
  name: 'oras',
  async run(context) {
    const { check, step, host, workDir, repository, accounts } = context
    const as = await peopleOf(context, orasTool)
    const [writer, reader, nobody] = [await as('writer'), await as('reader'), await as('nobody')]
    const logIn = async ({ raw }: Person, { name, password }: Login, exitCodes = [0]) =>
      raw(['login', '--plain-http', '--username', name, '--password-stdin', host], exitCodes, password)
    const [name, open] = [`${host}/team/${repository('artifact')}`, `${host}/public/${repository('artifact')}`]
    await writeFile(join(workDir, 'report.txt'), 'all is well\n')

    await check('is told that a password is wrong', async () => {
      match((await logIn(nobody, accounts.wrong, [1])).stderr, refused)
    })
    await step('logs in with a password and pushes', async () => {
      match((await logIn(writer, accounts.writer)).stdout, /Login Succeeded/)
      for (const target of [name, open]) {
        await writer.call('push', '--plain-http', `${target}:one`, 'report.txt:text/plain')
      }
    })
    await check('logs in with a personal token, attaches and discovers', async () => {
      const holder = await as('holder')
      await logIn(holder, accounts.writerToken)
      const type = 'application/vnd.example.signature'
      await holder.call('attach', '--plain-http', '--artifact-type', type, `${name}:one`, 'report.txt')
      match(await holder.call('discover', '--plain-http', `${name}:one`), /vnd\.example\.signature/)
    })
    await check('pulls as a reader, who is refused to push', async () => {
      await logIn(reader, accounts.reader)
      await reader.call('pull', '--plain-http', '--output', 'pulled', `${name}:one`)
      equal(await readFile(join(workDir, 'pulled', 'report.txt'), 'utf8'), 'all is well\n')
      match(await reader.fails('push', '--plain-http', `${name}:two`, 'report.txt'), refused)
    })
    await check('pulls a public repository without a login, and no private one', async () => {
      await nobody.call('pull', '--plain-http', '--output', 'open', `${open}:one`)
      match(await nobody.fails('pull', '--plain-http', `${name}:one`), refused)
    })
    await check('logs out, and may then no more than anybody', async () => {
      await writer.call('logout', host)
      match(await writer.fails('pull', '--plain-http', `${name}:one`), refused)
    })
  },
}

export const regctl: AccountsClient = {
  name: 'regctl',
  async run(context) {
    const { check, step, host, workDir, repository, accounts } = context
    const as = await peopleOf(context, regctlTool)
    const [writer, reader, nobody] = [await as('writer'), await as('reader'), await as('nobody')]
    const logIn = async ({ raw }: Person, { name, password }: Login, exitCodes = [0]) =>
      raw(['registry', 'login', host, '--user', name, '--pass-stdin'], exitCodes, password)
    const [name, open] = [`${host}/team/${repository('app')}`, `${host}/public/${repository('app')}`]
    const image = await layoutIn(workDir)
    for (const { call } of [writer, reader, nobody]) await call('registry', 'set', '--tls', 'disabled', host)

    await check('is told that a password is wrong', async () => {
      const stranger = await as('stranger')
      await stranger.call('registry', 'set', '--tls', 'disabled', host)
      match((await logIn(stranger, accounts.wrong, [1])).stderr, refused)
    })
    await step('logs in with a password and pushes', async () => {
      await logIn(writer, accounts.writer)
      for (const target of [name, open]) {
        await writer.call('image', 'copy', `ocidir://${image.directory}:one`, `${target}:one`)
      }
    })
    await check('logs in with a personal token and lists the tags', async () => {
      const holder = await as('holder')
      await holder.call('registry', 'set', '--tls', 'disabled', host)
      await logIn(holder, accounts.writerToken)
      equal(await holder.call('tag', 'ls', name), 'one')
    })
    await check('pulls as a reader, who is refused to push', async () => {
      await logIn(reader, accounts.reader)
      await reader.call('image', 'copy', `${name}:one`, `ocidir://${join(workDir, 'pulled')}:one`)
      equal(await reader.call('image', 'digest', `${name}:one`), image.digest)
      match(await reader.fails('image', 'copy', `ocidir://${image.directory}:one`, `${name}:two`), refused)
    })
    await check('pulls a public repository without a login, and no private one', async () => {
      equal(await nobody.call('image', 'digest', `${open}:one`), image.digest)
      match(await nobody.fails('image', 'manifest', `${name}:one`), refused)
    })
  },
}
