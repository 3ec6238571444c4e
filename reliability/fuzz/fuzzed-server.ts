import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild } from '../../bench/child.ts'
import { freePort, type RunningServer, whenAnswering } from '../../bench/servers/server.ts'
import { program } from '../../bench/servers/stowage.ts'
import { maxBlobSize, maxManifestSize, type World } from './world.ts'

export interface FuzzedServer extends RunningServer {
  readonly data: string
  readonly account: World['account']
  /** What the account may show in the place of its password. */
  readonly token: string | undefined
  /** How long it keeps a connection that is idle. */
  readonly idleMilliseconds: number
  readonly child: Child
}

const idleMilliseconds = 5000
const account = { name: 'admin', password: 'a password of the fuzz' }

/** Limits and times so low that they are reached. */
const tight = {
  STOWAGE_MANIFESTS_MAX_SIZE: String(maxManifestSize),
  STOWAGE_UPLOADS_MAX_BLOB_SIZE: String(maxBlobSize),
  STOWAGE_UPLOADS_EXPIRE_AFTER: '30s',
  STOWAGE_LIMITS_ALL_OPEN_UPLOADS: '2000',
  STOWAGE_LIMITS_BODY_IDLE: '1s',
  STOWAGE_LIMITS_BODY_GRACE: '2s',
  STOWAGE_LIMITS_READER_IDLE: '2s',
  STOWAGE_LIMITS_KEEP_ALIVE: `${idleMilliseconds}ms`,
}

const kinds = {
  open: { ...tight, STOWAGE_AUTH: 'off' },
  /** As it is by default. */
  plain: { STOWAGE_AUTH: 'off' },
  accounts: {
    ...tight,
    STOWAGE_AUTH: 'on',
    STOWAGE_ADMIN_NAME: account.name,
    STOWAGE_ADMIN_PASSWORD: account.password,
    STOWAGE_TOKENS_LIFETIME: '1h',
    // Or the answer to most requests would be 429, and nothing behind that would be reached.
    STOWAGE_LIMITS_REQUEST_RATE: '0',
  },
} as const

/** What strangers may do: something, so that a 401 and a 403 are not the only answers they get. */
const rules = JSON.stringify([{ subject: 'anonymous', repositories: 'fuzz/*', actions: ['pull'] }])

export const startFuzzedServer = async (directory: string, kind: keyof typeof kinds): Promise<FuzzedServer> => {
  const data = join(directory, kind)
  mkdirSync(data)
  const port = await freePort()
  const args = ['serve', `127.0.0.1:${port}`, '--data', data, '--log-level', 'error']
  if (kind === 'accounts') args.push('--access-rules', rules)
  const child = startChild(process.execPath, [program, ...args], kinds[kind])
  const running = await whenAnswering(`stowage (${kind})`, `http://127.0.0.1:${port}`, child)
  const accounts = kind === 'accounts' ? { account, token: makeToken(data) } : { account: undefined, token: undefined }
  return { ...running, data, ...accounts, idleMilliseconds, child }
}

/** A token of the administrator. His password is asked for ever more slowly while others guess at it, and the noise guesses. */
const makeToken = (data: string): string => {
  const args = [program, 'token', 'add', account.name, '--label', 'fuzz', '--quiet', '--data', data]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`No token could be made: ${stderr}`)
  return stdout.trim()
}
