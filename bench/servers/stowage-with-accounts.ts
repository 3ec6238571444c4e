import { join } from 'node:path'
import { startChild } from '../child.ts'
import { type BenchServer, freePort, whenAnswering } from './server.ts'
import { program, stowage } from './stowage.ts'

const name = 'admin'
const password = 'a password of the bench'

/** The same program with accounts: its requests carry the Bearer token of an administrator. */
export const stowageWithAccounts = {
  name: 'stowage, Bearer',
  kind: 'registry',
  setup:
    'the same with `auth: on` and no limit on requests; every request carries a Bearer token (EdDSA) with the scope of its repository',
  version: stowage.version,
  start: async ({ directory, content }) => {
    const port = await freePort()
    const child = startChild(
      process.execPath,
      [program, 'serve', `127.0.0.1:${port}`, '--data', join(directory, 'data'), '--log-level', 'error'],
      {
        STOWAGE_AUTH: 'on',
        STOWAGE_ADMIN_NAME: name,
        STOWAGE_ADMIN_PASSWORD: password,
        STOWAGE_LIMITS_REQUEST_RATE: '0',
        STOWAGE_TOKENS_LIFETIME: '1h',
      },
    )
    const running = await whenAnswering('stowage, Bearer', `http://127.0.0.1:${port}`, child)
    const scope = `repository:${content?.repository ?? 'bench/content'}:pull,push`
    return { ...running, headers: { authorization: `Bearer ${await tokenOf(running.url, scope)}` } }
  },
} satisfies BenchServer

async function tokenOf(url: string, scope: string): Promise<string> {
  const answer = await fetch(`${url}/auth/token?scope=${encodeURIComponent(scope)}`, {
    headers: { authorization: `Basic ${btoa(`${name}:${password}`)}` },
  })
  const { token } = (await answer.json()) as { token?: string }
  if (token === undefined) throw new Error(`${url} gave no token: status ${answer.status}`)
  return token
}
