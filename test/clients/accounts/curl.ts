/** curl where accounts are on: Basic with every request, or a token that it gets first. */
import { deepEqual, equal, match } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { findProgram, run } from '../command.ts'
import type { AccountsClient, Login } from './test-accounts.ts'

export const curl: AccountsClient = {
  name: 'curl',
  async run({ check, step, url, workDir, signal, repository, accounts }) {
    const program = findProgram('curl')
    /** Status and body. Credentials come by a file, which a list of processes does not show. */
    const call = async (login: Login | undefined, ...args: string[]) => {
      const user = login === undefined ? '' : `user = "${login.name}:${login.password}"\n`
      const wanted = ['--silent', '--show-error', '--config', '-', '--write-out', '\n%{http_code}', ...args]
      const { stdout } = await run(program, wanted, { cwd: workDir, signal, input: user })
      const end = stdout.lastIndexOf('\n')
      return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) }
    }
    const name = `team/${repository('notes')}`
    const digest = `sha256:${createHash('sha256').update('hello').digest('hex')}`
    const blob = `${url}/v2/${name}/blobs/${digest}`
    const push = ['--data-binary', 'hello', `${url}/v2/${name}/blobs/uploads/?digest=${digest}`]

    await step('pushes a blob with name and password', async () => {
      equal((await call(accounts.writer, ...push)).status, 201)
    })
    await check('pulls it with a password and with a personal token', async () => {
      for (const login of [accounts.writer, accounts.writerToken, accounts.reader]) {
        deepEqual(await call(login, blob), { status: 200, body: 'hello' })
      }
    })
    await check('is refused without credentials, with wrong ones, and what nobody allowed', async () => {
      equal((await call(undefined, blob)).status, 401)
      equal((await call(accounts.wrong, blob)).status, 401)
      equal((await call({ ...accounts.writerToken, name: 'reader' }, blob)).status, 401)
      equal((await call(accounts.reader, ...push)).status, 403)
      equal((await call(accounts.dinosaur, blob)).status, 403)
    })
    await check('gets a token and pulls with it, with or without a slash behind the address', async () => {
      for (const path of ['/auth/token', '/auth/token/']) {
        const scope = `scope=repository:${name}:pull,push`
        const asked = await call(accounts.reader, '--get', '--data-urlencode', scope, `${url}${path}`)
        equal(asked.status, 200)
        const { token }: { token: string } = JSON.parse(asked.body)
        const bearer = ['--header', `Authorization: Bearer ${token}`]
        deepEqual(await call(undefined, ...bearer, blob), { status: 200, body: 'hello' })
        // More was asked for than the reader may do: the token has only what was allowed.
        match(String((await call(undefined, ...bearer, ...push)).status), /^40[13]$/)
      }
    })
  },
}
