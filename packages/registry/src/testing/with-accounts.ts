import type { Accounts, RegistryOptions } from '@stowage/registry'
import type { Answer, Door, OpenDoor, SendOptions } from '@stowage/testkit'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'

export const secret = 'a secret of 32 characters or more, of a test'

/** A registry with accounts, and ways to come to it as somebody. */
export interface WithAccounts extends AsyncDisposable {
  readonly door: OpenDoor
  readonly accounts: Accounts
  readonly metadata: MetadataStore
  /** Sends requests with this `Authorization`; without one, with none. */
  as(authorization?: string): Pick<OpenDoor, 'send'>
  /** Adds a user whose password is `password of <name>`, and gives the header. */
  user(name: string, more?: { groups?: string[]; administrator?: boolean }): Promise<string>
  /** The header with a Bearer token, got from the endpoint. */
  bearer(authorization: string | undefined, ...scopes: string[]): Promise<string>
  token(authorization: string | undefined, ...scopes: string[]): Promise<Answer>
}

export const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/** The password of a user that `user` made. */
export const passwordOf = (name: string): string => `password of ${name}`

export const withAccounts = async (door: Door, options: Partial<RegistryOptions> = {}): Promise<WithAccounts> => {
  const metadata = await sqliteMetadata({ path: ':memory:' })
  const storage = { metadata, blobs: memoryBlobs() }
  const opened = await door.open({ storage, ...options, accounts: { secret, ...options.accounts } })
  const { accounts } = opened.registry
  if (accounts === undefined) throw new Error('The registry has no accounts.')
  const as: WithAccounts['as'] = (authorization) => ({
    send: async (method, target, sent: SendOptions = {}) =>
      opened.send(method, target, {
        ...sent,
        headers: { ...(authorization === undefined ? {} : { authorization }), ...sent.headers },
      }),
  })
  const token: WithAccounts['token'] = async (authorization, ...scopes) => {
    const query = new URLSearchParams()
    for (const scope of scopes) query.append('scope', scope)
    return as(authorization).send('GET', `/auth/token?${query.toString()}`)
  }
  return {
    door: opened,
    accounts,
    metadata,
    as,
    token,
    user: async (name, more = {}) => {
      await accounts.addUser({ name, password: passwordOf(name), ...more })
      return basic(name, passwordOf(name))
    },
    bearer: async (authorization, ...scopes) => {
      const answer = await token(authorization, ...scopes)
      if (answer.status !== 200) throw new Error(`The token endpoint answered ${answer.status}: ${answer.text()}`)
      return `Bearer ${(answer.json() as { token: string }).token}`
    },
    [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose](),
  }
}
