import type { Accounts } from '../../packages/registry/src/accounts/accounts.ts'
import { basic, type Credential, type Login, type ScopesOf } from './credentials.ts'
import type { TestIssuer } from './issuer.ts'
import type { PrincipalKind, RepositoryKind, Transport } from './policy-model.ts'

/** What the cast needs of the world. */
export interface Staff {
  readonly accounts: Accounts
  readonly htpasswd: string
  readonly issuer: TestIssuer
  readonly now: () => number
  /** Whether somebody is wanted at all, in any way or in this one: to prove one thing not everybody need be let in. */
  wants(principal: PrincipalKind, label?: string): boolean
  /** Lets time pass. */
  pass(milliseconds: number): void
  /** From now on only what passes by `pass` does. */
  stopTheClock(): void
  /** Does it as if it were then. */
  at<Result>(time: number, work: () => Promise<Result>): Promise<Result>
  everywhere(credential: Credential): readonly string[]
  /** In every repository, with what the credential is worth at this moment. */
  beginUploads(credential: Pick<Credential, 'actor' | 'authorization'>): Promise<void>
  /** Comes to the door once. */
  greet(credential: Credential): Promise<void>
  token(login: Login, scopes: readonly string[]): Promise<{ token: string; refresh_token?: string }>
}

export type Form = Readonly<Record<string, string>>
type More = Pick<Credential, 'thorough' | 'only' | 'guess' | 'login'>

/** The ways in which people come in. */
export interface Casting {
  readonly credentials: Credential[]
  /** Nothing happens when nobody wants them. */
  add(
    principal: PrincipalKind,
    label: string,
    transport: Transport,
    actor: string,
    authorization: Credential['authorization'],
    more?: More,
  ): Credential | undefined
  /** What is shown as it is, also to the token endpoint. */
  addPlain(
    principal: PrincipalKind,
    label: string,
    transport: Transport,
    actor: string,
    authorization: string | undefined,
    more?: More,
  ): Credential | undefined
  /** A Bearer token for each repository, got when it is first needed. */
  bearer(wanted: ScopesOf, login: Login | string | undefined): Credential['authorization']
  /** Its tokens are got now, while they can be. */
  fetch(credential: Credential | undefined): Promise<void>
  /** A user with the password of all; gives the header. */
  user(name: string, groups?: readonly string[], administrator?: boolean): Promise<string>
  personal(name: string, more?: Partial<Parameters<Accounts['addToken']>[0]>): Promise<Made>
  /** A refresh token by a login with the password of all. */
  refresh(name: string): Promise<Form>
  idToken(role: string, more?: { readonly lives?: number; readonly audience?: string }): string
}

export interface Made {
  readonly id: string
  readonly secret: string
  /** For the header `Authorization`. */
  readonly login: string
}

export const password = 'correct horse battery'

/** What differs from another way to log in by its scopes only, or by whose word it is, is tried where that shows. */
export const some: More = { only: ['public', 'own', 'other', 'absent-own'] as readonly RepositoryKind[] }

/** Each wrong password costs a derivation, and some time. */
export const guess: More = { only: ['public'] as readonly RepositoryKind[], guess: true }

export const always = (text: string | undefined) => async (): Promise<string | undefined> => text

export const createCasting = (staff: Staff): Casting => {
  const { accounts, issuer, token } = staff
  const credentials: Credential[] = []
  const add: Casting['add'] = (principal, label, transport, actor, authorization, more = {}) => {
    if (!staff.wants(principal, label)) return undefined
    const credential = { principal, label, transport, actor, authorization, ...more }
    credentials.push(credential)
    return credential
  }
  const seconds = (): number => Math.floor(staff.now() / 1000)
  return {
    credentials,
    add,
    addPlain: (principal, label, transport, actor, authorization, more = {}) =>
      add(principal, label, transport, actor, always(authorization), { login: { authorization }, ...more }),
    bearer: (wanted, given) => {
      const known = new Map<string | undefined, Promise<string>>()
      const login = typeof given === 'object' ? given : { authorization: given }
      const get = async (repository: string | undefined): Promise<string> =>
        `Bearer ${(await token(login, wanted(repository))).token}`
      return async (repository) => {
        const found = known.get(repository) ?? get(repository)
        known.set(repository, found)
        return found
      }
    },
    fetch: async (credential) => {
      if (credential === undefined) return
      await credential.authorization(undefined)
      for (const name of staff.everywhere(credential)) await credential.authorization(name)
    },
    user: async (name, groups = ['deleters'], administrator = false) => {
      await accounts.addUser({ name, password, groups, administrator })
      return basic(name, password)
    },
    personal: async (name, more = {}) => {
      const made = await accounts.addToken({ user: name, label: 'of the proof', ...more })
      return { id: made.token.id, secret: made.secret, login: basic(name, made.secret) }
    },
    refresh: async (name) => {
      const form = {
        grant_type: 'password',
        username: name,
        password,
        access_type: 'offline',
        client_id: 'proof',
      }
      const { refresh_token: text = '' } = await token({ form: async () => form }, [])
      return { grant_type: 'refresh_token', refresh_token: text, client_id: 'proof' }
    },
    idToken: (role, { lives = 3600, audience = 'stowage' } = {}) =>
      issuer.token({ sub: `job-of-${role}`, aud: audience, iat: seconds(), exp: seconds() + lives, role }),
  }
}
