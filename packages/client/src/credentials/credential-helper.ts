import type { CallOptions } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import type { Credential } from './credential.ts'
import type { Environment } from './environment.ts'
import { findProgram } from './find-program.ts'
import { readHelperAnswer, readHelperList, type StoredUser, wordsOf } from './helper-answer.ts'
import { runProgram, type RunResult } from './run-program.ts'

/** How a helper program is run. */
export interface CredentialHelperOptions {
  /** Milliseconds that one call may take. 30 000 unless set. */
  readonly timeout?: number
  /** With the `PATH` that the program is looked for on; it is the program's environment, too. `process.env` unless set. */
  readonly environment?: Environment
  /** Where it was configured, for messages: `credsStore in /home/me/.docker/config.json`. */
  readonly configuredBy?: string
}

/**
 * A program that keeps credentials, such as `docker-credential-pass`, by the protocol of Docker's credential helpers
 * (https://github.com/docker/docker-credential-helpers).
 *
 * A `server` is what Docker calls server URL: the host of a registry, `https://index.docker.io/v1/` for Docker Hub.
 *
 * All calls throw `ClientError`: `usage` when the program is not installed or cannot be started, `unauthorized` with its own
 * words when it fails, `timeout`, `too-large`, `invalid-content`, `aborted`.
 */
export interface CredentialHelper {
  /** `docker-credential-pass` */
  readonly program: string
  /** `undefined` when it has none. */
  get(server: string, options?: CallOptions): Promise<Credential | undefined>
  /** A registry token cannot be stored (`unsupported`). */
  store(server: string, credential: Credential, options?: CallOptions): Promise<void>
  /** Whether there was one. */
  erase(server: string, options?: CallOptions): Promise<boolean>
  list(options?: CallOptions): Promise<readonly StoredUser[]>
}

/** The user name that says that the secret is an identity token. */
const tokenUser = '<token>'

/**
 * `name` is what follows `docker-credential-`. The program is looked for at each call.
 *
 * @throws {ClientError} `usage` when the name is not made of letters, digits, `.`, `_` and `-`; `invalid-content` when it is the
 * one of a file
 */
export const credentialHelper = (name: string, options: CredentialHelperOptions = {}): CredentialHelper => {
  const { timeout = 30_000, environment = process.env, configuredBy } = options
  const origin = configuredBy === undefined ? '' : `, named by ${configuredBy},`
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    throw new ClientError(
      configuredBy === undefined ? 'usage' : 'invalid-content',
      `The name of a credential helper${origin} has other than letters, digits, ".", "_" and "-".`,
      { hint: 'Write what follows docker-credential- in the name of the program, as in "pass".' },
    )
  }
  const program = `docker-credential-${name}`
  const called = `${program}${origin}`

  const run = async (action: string, input: string, call: CallOptions = {}): Promise<RunResult> => {
    const path = await findProgram(program, environment)
    if (path === undefined) {
      throw new ClientError('usage', `${called} is not installed: it is in no directory of PATH.`, {
        subject: program,
        hint: configuredBy === undefined ? 'Install it.' : `Install it, or take it out of ${configuredBy}.`,
      })
    }
    const args = [action]
    return runProgram({ program: path, args, input, environment, timeout, signal: call.signal, name: called })
  }
  const failed = (action: string, { stdout, stderr }: RunResult, secret?: string): ClientError => {
    const words = wordsOf(stdout, secret) || wordsOf(stderr, secret)
    return new ClientError('unauthorized', `${called} could not ${action}${words === '' ? '.' : `: ${words}`}`, {
      subject: program,
      hint: `See what is wrong with it: ${program} list`,
    })
  }

  return {
    program,
    async get(server, call) {
      const result = await run('get', checked(server), call)
      if (result.succeeded) return readHelperAnswer(called, result.stdout, tokenUser)
      if (saysNotFound(result)) return undefined
      throw failed('give the credential', result)
    },
    async store(server, credential, call) {
      if (credential.kind === 'registry-token') {
        throw new ClientError('unsupported', `${called} can keep passwords and identity tokens, but no registry token.`)
      }
      const [Username, Secret] =
        credential.kind === 'password' ? [credential.username, credential.password] : [tokenUser, credential.token]
      if (credential.kind === 'password' && (Username === '' || Username === tokenUser)) {
        throw new ClientError('usage', `A username must not be empty, and not ${tokenUser}.`)
      }
      const result = await run('store', JSON.stringify({ ServerURL: checked(server), Username, Secret }), call)
      if (!result.succeeded) throw failed('store the credential', result, Secret)
    },
    async erase(server, call) {
      const result = await run('erase', checked(server), call)
      if (!result.succeeded && !saysNotFound(result)) throw failed('erase the credential', result)
      return result.succeeded
    },
    async list(call) {
      // Helpers read nothing here, but Docker sends a word.
      const result = await run('list', 'unused', call)
      if (!result.succeeded) throw failed('list what it has', result)
      return readHelperList(called, result.stdout)
    },
  }
}

/** The protocol's one message with a meaning; most say it on stdout, some on stderr. */
const saysNotFound = ({ stdout, stderr }: RunResult): boolean =>
  `${stdout}\n${stderr}`.toLowerCase().includes('credentials not found in native keychain')

/** It is a line of the program's input: a second line would be another word of it. */
const checked = (server: string): string => {
  if (/^[\x21-\x7e]+$/.test(server)) return server
  throw new ClientError('usage', 'The server of a credential must be written without spaces and control characters.')
}
