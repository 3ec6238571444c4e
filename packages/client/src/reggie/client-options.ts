/** The options of `NewClient`. */
import { ClientError } from '../errors.ts'
import type { Fetch } from '../transport/fetch.ts'
import { checkName } from './template.ts'
import type { Settings } from './settings.ts'

/** What the functions of this module give, for `NewClient` alone. */
export interface ClientOption {
  readonly of: 'NewClient'
  /** Of the function that made it, for messages. */
  readonly name: string
  readonly apply: (settings: Settings) => void
}

const option = (name: string, apply: ClientOption['apply']): ClientOption => ({ of: 'NewClient', name, apply })

/**
 * Who to be at the registry, where it asks. Shown to nobody else than the registry and its token server.
 *
 * @throws {ClientError} `usage` for a user name with a colon, which HTTP cannot tell from the password (RFC 7617)
 */
export const WithUsernamePassword = (username: string, password: string): ClientOption => {
  if (username.includes(':')) throw new ClientError('usage', 'A user name has no colon in it.')
  return option('WithUsernamePassword', ({ config }) => {
    config.Username = username
    config.Password = password
  })
}

/** The scope of every token: whatever scope a challenge has, this one is asked for instead of it. */
export const WithAuthScope = (scope: string): ClientOption =>
  option('WithAuthScope', ({ config }) => void (config.AuthScope = scope))

/** What `<name>` stands for where a request has no `WithName`. @throws {ClientError} `usage` when it is no repository name */
export const WithDefaultName = (name: string): ClientOption => {
  checkName(name)
  return option('WithDefaultName', ({ config }) => void (config.DefaultName = name))
}

/**
 * Writes every request and answer, token requests and redirects too: head, and body where it is JSON. Passwords, tokens, cookies
 * and whatever could be one are replaced.
 *
 * @param log Default: `console.debug`
 */
export const WithDebug = (debug: boolean, log?: (text: string) => void): ClientOption =>
  option('WithDebug', (settings) => {
    settings.config.Debug = debug
    if (log !== undefined) settings.log = log
  })

/** @throws {ClientError} `usage` when it is empty */
export const WithUserAgent = (userAgent: string): ClientOption => {
  if (userAgent === '') throw new ClientError('usage', 'UserAgent is required.')
  return option('WithUserAgent', ({ config }) => void (config.UserAgent = userAgent))
}

/**
 * Take whatever certificate the registry, its token server or a server it redirects to shows. It is for registries of tests:
 * whoever sits on the way can read and change everything, passwords too. Works in Node, Bun and Deno; in a browser, and beside
 * `WithFetch`, `NewClient` throws.
 */
export const WithInsecureSkipTLSVerify = (skip: boolean): ClientOption =>
  option('WithInsecureSkipTLSVerify', ({ config }) => void (config.InsecureSkipTLSVerify = skip))

/** Not in the seed. What sends requests, instead of the global `fetch`: with certificates of its own, or a registry in this process. */
export const WithFetch = (fetch: Fetch): ClientOption =>
  option('WithFetch', (settings) => void (settings.fetch = fetch))

/**
 * Not in the seed. Hosts (`auth.example:5001`) besides the registry's own that may be shown the user name and the password in
 * exchange for a token. Those of Docker Hub and GitLab.com are known.
 */
export const WithTokenServers = (...hosts: readonly string[]): ClientOption =>
  option('WithTokenServers', (settings) => void (settings.tokenServers = hosts))

/**
 * Not in the seed, which waits for ever. Milliseconds: `idle` without a byte in either direction (default 60,000), `answer` from
 * the end of a request to the head of its answer (default 300,000).
 *
 * @throws {ClientError} `usage` for what is no whole number of 1 or more
 */
export const WithTimeouts = (timeouts: { readonly idle?: number; readonly answer?: number }): ClientOption => {
  for (const [name, value] of Object.entries(timeouts)) {
    if (name !== 'idle' && name !== 'answer') throw new ClientError('usage', `There is no timeout ${name}.`)
    if (Number.isSafeInteger(value) && value >= 1) continue
    throw new ClientError('usage', `The timeout ${name} must be a whole number of milliseconds, 1 or more.`)
  }
  return option('WithTimeouts', (settings) => void (settings.timeouts = timeouts))
}
