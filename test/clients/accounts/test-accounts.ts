/** The people of the runs with accounts, made by the commands that an administrator uses. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ClientContext } from '../harness.ts'
import { run } from '../command.ts'
import { repositoryRoot } from '../stowage-server.ts'

export interface Login {
  readonly name: string
  readonly password: string
}

export interface People {
  /** Pushes to `team/*` and to `public/*`, which everybody may pull from. */
  readonly writer: Login
  /** The writer, with a personal token for a password. */
  readonly writerToken: Login
  /** Only pulls from `team/*`. */
  readonly reader: Login
  /** Does the tutorial, in `myorg/*` and `vsoch/*`. */
  readonly dinosaur: Login
  /** What must never be in a log. */
  readonly secrets: readonly string[]
}

/** What a client with accounts gets: whatever others get, and the people. */
export interface AccountsContext extends ClientContext {
  /** `wrong`: somebody who is there, with a password that is not right. */
  readonly accounts: People & { readonly wrong: Login }
}

export interface AccountsClient {
  readonly name: string
  run(context: AccountsContext): Promise<void>
}

const secret = (): string => randomBytes(24).toString('base64url')

export const adminPassword = secret()

/** @param data The data directory of the running server. */
export const makeAccounts = async (data: string, signal: AbortSignal): Promise<People> => {
  const program = join(repositoryRoot, 'packages', 'stowage', 'dist', 'main.js')
  const stowage = async (args: readonly string[], input = ''): Promise<string> =>
    (await run(process.execPath, [program, ...args, '--data', data], { signal, input })).stdout
  const add = async (name: string): Promise<Login> => {
    const password = secret()
    await stowage(['user', 'add', name, '--password-stdin'], `${password}\n`)
    return { name, password }
  }
  const allow = async (subject: string, repositories: string, actions: string) =>
    stowage(['access', 'allow', subject, repositories, actions])

  const [writer, reader, dinosaur] = [await add('writer'), await add('reader'), await add('dinosaur')]
  const printed = await stowage(['token', 'add', 'writer', '--label', 'laptop'])
  const token = /stwp_[a-z0-9]{16}_[\w-]{43}/.exec(printed)?.[0]
  if (token === undefined) throw new Error(`no token was printed, but ${printed.length} characters`)

  await allow('user:writer', 'team/*', 'pull,push,overwrite')
  await allow('user:writer', 'public/*', 'pull,push,overwrite')
  await allow('user:reader', 'team/*', 'pull')
  await allow('anonymous', 'public/*', 'pull')
  await allow('user:dinosaur', 'myorg/*', 'pull,push,overwrite')
  await allow('user:dinosaur', 'vsoch/*', 'pull')

  const writerToken = { name: 'writer', password: token }
  const logins = [writer, writerToken, reader, dinosaur]
  return {
    writer,
    writerToken,
    reader,
    dinosaur,
    secrets: [
      adminPassword,
      ...logins.flatMap(({ name, password }) => [password, Buffer.from(`${name}:${password}`).toString('base64')]),
    ],
  }
}
