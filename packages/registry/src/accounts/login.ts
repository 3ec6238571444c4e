import { timingSafeEqual } from 'node:crypto'
import type { Principal } from '../access/principal.ts'
import { RegistryError } from '../errors.ts'
import type { IssuerRow, TokenRow, UserRow } from '../metadata/account-store.ts'
import type { AccountOptions } from './account-options.ts'
import type { Directory } from './directory.ts'
import type { CredentialCheck } from './passwords/credential-check.ts'
import type { Guard } from './passwords/guard.ts'
import type { Passwords } from './passwords/hash-queue.ts'
import type { Htpasswd } from './passwords/htpasswd.ts'
import { hasEnded, type Session } from './session.ts'
import { hashSecret, parseToken, type ParsedToken } from './tokens/personal.ts'
import type { Workloads } from './workloads/issuers.ts'

/** Somebody whose credentials were right. */
export interface LoggedIn {
  readonly subject: string
  readonly session: Session
}

export interface Login {
  /**
   * Takes a password, a personal token, or the ID token of a trusted issuer (with any name) for a password.
   *
   * @throws RegistryError `unauthorized`, the same whatever was wrong; `too-many-requests`; `overloaded`.
   */
  withPassword(name: string, password: string, address: string | undefined): Promise<LoggedIn>
  /** @throws RegistryError `unauthorized` */
  withRefreshToken(token: string): Promise<LoggedIn>
  /** @throws RegistryError `unauthorized`, `too-many-requests`, `overloaded` */
  withIdToken(token: string, address: string | undefined): Promise<LoggedIn>
}

export interface LoginOptions {
  readonly directory: Directory
  readonly passwords: Passwords
  readonly htpasswd: Htpasswd | undefined
  readonly credentials: AccountOptions['credentials']
  readonly workloads: Workloads
  readonly known: CredentialCheck<LoggedIn>
  readonly guard: Guard
  readonly now: () => number
  /** Told that a refresh token was used. */
  readonly onTokenUsed: (id: string) => void
}

export const wrongCredentials = (): RegistryError =>
  new RegistryError('unauthorized', 'The user name or the password is wrong, or the token has ended. Log in again.', {
    hints: { login: 'invalid-credentials' },
  })

export const createLogin = (options: LoginOptions): Login => {
  const { directory, passwords, htpasswd, credentials, workloads, known, guard, now } = options

  const withToken = async (parsed: ParsedToken, name: string | undefined): Promise<LoggedIn> => {
    const { id, kind } = parsed
    const token = await (kind === 'refresh' ? directory.refreshToken(id) : directory.token(id))
    const matches = sameHash(token, parsed.secret)
    if (token === undefined || !matches || token.kind !== kind || hasEnded(token, now())) throw wrongCredentials()
    // Whose it is must be said rightly: events and logs name the user, and so did whoever logged in.
    if (name !== undefined && name !== token.user) throw wrongCredentials()
    const user = await directory.user(token.user)
    if (user === undefined || user.id !== token.userId || user.disabledAt !== undefined) throw wrongCredentials()
    // A refresh token that was got with a personal token is narrowed, and ended, by that one.
    if (token.kind === 'personal')
      return { subject: user.name, session: { kind: 'user', uid: user.id, token: token.id } }
    // The password of the token, not of the user of the moment: what is signed now must not outlive what it was got with.
    if (token.parentId === undefined && token.passwordChangedAt !== user.passwordChangedAt) throw wrongCredentials()
    options.onTokenUsed(token.id)
    const session: Session =
      token.parentId === undefined
        ? { kind: 'user', uid: user.id, pwd: user.passwordChangedAt }
        : { kind: 'user', uid: user.id, token: token.parentId }
    return { subject: user.name, session }
  }

  /**
   * Who is refused is counted, so that whose issuers are trusted cannot be tried out without end. Nobody can guess a good token:
   * one is never held up by what others of its network try.
   */
  const asJob = async (token: string, issuers: readonly IssuerRow[], address: string | undefined) => {
    try {
      return await workloads.verify(token, issuers)
    } catch (error) {
      if (error instanceof RegistryError) guard.failedWithoutName(address)
      throw error
    }
  }

  /**
   * One derivation for the store, one for the file and one question to the host, whoever is asked for: names cannot be told by
   * the time it takes, nor by what fails. What fails matters only where nothing else says that the password is right.
   */
  const check = async (name: string, password: string): Promise<LoggedIn | undefined> => {
    const user = await directory.user(name)
    const [ofStore, ofFile, ofHost] = await Promise.allSettled([
      passwords.verify(user?.passwordHash, password),
      htpasswd?.verify(name, password) ?? false,
      (async () => credentials?.(name, password))(),
    ])
    const found =
      user === undefined
        ? (withLine(name, settled(ofFile)) ?? withPrincipal(settled(ofHost)))
        : settled(ofStore) === true && user.disabledAt === undefined
          ? asUser(user)
          : undefined
    if (found !== undefined) return found
    for (const each of [ofStore, ofFile, ofHost]) if (each.status === 'rejected') throw each.reason
    return undefined
  }

  const withLine = (name: string, right: boolean | undefined): LoggedIn | undefined => {
    const line = right === true ? htpasswd?.stampOf(name) : undefined
    return line === undefined ? undefined : { subject: name, session: { kind: 'htpasswd', line } }
  }

  return {
    withIdToken: async (token, address) => {
      const { issuers } = await directory.state()
      const found = await asJob(token, issuers, address)
      if (found !== undefined) return asWorkload(found)
      guard.failedWithoutName(address)
      throw wrongCredentials()
    },
    withRefreshToken: async (text) => {
      const parsed = parseToken(text)
      if (parsed?.kind !== 'refresh') throw wrongCredentials()
      return withToken(parsed, undefined)
    },
    withPassword: async (name, password, address) => {
      const parsed = parseToken(password)
      if (parsed !== undefined) {
        if (parsed.kind !== 'personal') throw wrongCredentials()
        return withToken(parsed, name)
      }
      const { issuers, version } = await directory.state()
      if (issuers.length > 0 && looksLikeJwt(password)) {
        const found = await asJob(password, issuers, address)
        if (found !== undefined) return asWorkload(found)
      }
      // Any change of an account ends what is remembered.
      const stamp = `${version}:${htpasswd?.stamp() ?? ''}`
      const loggedIn = await known.check({ name, password, address, stamp }, async () => check(name, password))
      if (loggedIn === undefined) throw wrongCredentials()
      return loggedIn
    },
  }
}

const asUser = (user: UserRow): LoggedIn => ({
  subject: user.name,
  session: { kind: 'user', uid: user.id, pwd: user.passwordChangedAt },
})

const settled = <Value>(result: PromiseSettledResult<Value>): Value | undefined =>
  result.status === 'fulfilled' ? result.value : undefined

const withPrincipal = (principal: Principal | undefined): LoggedIn | undefined =>
  principal === undefined ? undefined : asHost(principal)

const asHost = ({ name, ...said }: Principal): LoggedIn => ({
  subject: name,
  session: { ...said, kind: 'host' },
})

const asWorkload = ({ name, issuers }: { name: string; issuers: readonly IssuerRow[] }): LoggedIn => ({
  subject: name,
  session: { kind: 'workload', issuers: issuers.map(({ id }) => id) },
})

/** Compares with something also where there is no such token. */
const sameHash = (token: TokenRow | undefined, secret: string): boolean => {
  const given = Buffer.from(hashSecret(secret), 'hex')
  const kept = Buffer.from(token?.secretHash ?? hashSecret('no such token'), 'hex')
  return given.length === kept.length && timingSafeEqual(given, kept) && token !== undefined
}

const looksLikeJwt = (text: string): boolean => text.startsWith('eyJ') && text.length > 40 && text.includes('.')
