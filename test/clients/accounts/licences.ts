/** `examples/licences`: Docker at a program that sells images to licence holders. It starts that program itself. */
import { equal, match } from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startExample } from '../../runtimes/example-server.ts'
import { findProgram, run } from '../command.ts'
import { startDockerDaemon } from '../docker-daemon.ts'
import { future, newKey, past, type TestLicence, writeLicences } from '../licence-file.ts'
import type { AccountsClient } from './test-accounts.ts'

export const licences: AccountsClient = {
  name: 'licences',
  async run({ check, step, workDir, signal }) {
    const directory = join(workDir, 'program')
    await mkdir(directory)
    const customer: TestLicence = { customer: 'acme', key: newKey(), plan: 'basic', ends: future }
    const vendorKey = newKey()
    await writeLicences(directory, [customer])
    const env = { VENDOR_KEY: vendorKey }
    await using server = await startExample('licences', [process.execPath], directory, signal, env)
    const { host } = new URL(server.url)
    await using daemon = await startDockerDaemon(workDir, host, signal)
    const as = (who: string) => {
      const config = { DOCKER_CONFIG: join(workDir, `config-${who}`) }
      return {
        call: async (...args: string[]) => (await daemon.docker(args, { env: config })).stdout.trim(),
        fails: async (...args: string[]) => (await daemon.docker(args, { env: config, exitCodes: [1] })).stderr,
        logIn: async (name: string, password: string, exitCodes = [0]) =>
          daemon.docker(['login', host, '--username', name, '--password-stdin'], {
            env: config,
            input: password,
            exitCodes,
          }),
      }
    }
    const [vendor, acme] = [as('vendor'), as('acme')]
    const [basic, pro] = [`${host}/products/basic/app:one`, `${host}/products/pro/app:one`]
    const forget = async () => acme.call('image', 'rm', '--force', basic, pro)

    await step('the CI of the vendor logs in and pushes', async () => {
      match((await vendor.logIn('vendor', vendorKey)).stdout, /Login Succeeded/)
      await writeFile(join(workDir, 'hello'), 'hello\n')
      await run(findProgram('tar'), ['-C', workDir, '-cf', join(workDir, 'hello.tar'), 'hello'], { signal })
      for (const reference of [basic, pro]) {
        await vendor.call('import', join(workDir, 'hello.tar'), reference)
        await vendor.call('push', reference)
      }
    })
    await check('a customer logs in with the licence key, and pulls what the plan has', async () => {
      match((await acme.logIn('acme', 'not the key', [1])).stderr, /unauthorized/)
      match((await acme.logIn('acme', customer.key)).stdout, /Login Succeeded/)
      await forget()
      await acme.call('pull', basic)
    })
    await check('is refused what the plan does not have, and to push', async () => {
      match(await acme.fails('pull', pro), /The plan basic does not have/)
      match(await acme.fails('push', basic), /denied|A licence is for pulling/)
    })
    await check('pulls more with a larger plan, without a new login', async () => {
      await writeLicences(directory, [{ ...customer, plan: 'pro' }])
      await acme.call('pull', pro)
    })
    await check('pulls nothing with a licence that has ended, and cannot log in', async () => {
      await writeLicences(directory, [{ ...customer, ends: past }])
      await forget()
      match(await acme.fails('pull', basic), /This licence has ended/)
      match((await as('later').logIn('acme', customer.key, [1])).stderr, /403 Forbidden/)
    })
    await step('the program ends when told to', async () => {
      equal(await server.stop(), 0, await server.output())
    })
  },
}
