import { ClientError } from '../errors.ts'
import type { Fetch } from '../transport/fetch.ts'
import { version } from '../version.ts'

/** What a client was made with: `client.Config`. Texts that were not given are empty. */
export interface ClientConfig {
  /** Without a slash at its end. */
  readonly Address: string
  /** Asked for instead of the scope of every challenge; empty means that challenges have their say. */
  readonly AuthScope: string
  readonly Username: string
  /** Cannot be enumerated: `console.log` and `JSON.stringify` do not show it. */
  readonly Password: string
  readonly Debug: boolean
  /** Stands for `<name>` where a request has none of its own. */
  readonly DefaultName: string
  readonly UserAgent: string
  readonly InsecureSkipTLSVerify: boolean
}

/** The configuration while options are applied to it, and what is no part of the seed's configuration. */
export interface Settings {
  readonly config: { -readonly [Name in keyof ClientConfig]: ClientConfig[Name] }
  log: (text: string) => void
  fetch: Fetch | undefined
  tokenServers: readonly string[]
  timeouts: { readonly idle?: number; readonly answer?: number }
}

/** Sent where no `WithUserAgent` says otherwise. */
export const DefaultUserAgent = `stowage-reggie/${version}`

/** @throws {ClientError} `usage` for an address that is none */
export const defaultSettings = (address: string): Settings => {
  const config: Settings['config'] = {
    Address: checkAddress(address),
    AuthScope: '',
    Username: '',
    Password: '',
    Debug: false,
    DefaultName: '',
    UserAgent: DefaultUserAgent,
    InsecureSkipTLSVerify: false,
  }
  Object.defineProperty(config, 'Password', { enumerable: false })
  return { config, log: (text) => console.debug(text), fetch: undefined, tokenServers: [], timeouts: {} }
}

const checkAddress = (address: string): string => {
  if (typeof address !== 'string' || address === '') throw new ClientError('usage', 'Address is required.')
  // A password in it must not end up in a message.
  if (/^[^/]*\/\/[^/]*@/.test(address)) {
    throw new ClientError('usage', 'The address has credentials in it.', { hint: 'Give them by WithUsernamePassword.' })
  }
  const problem = addressProblem(address)
  if (problem === undefined) return address.replace(/\/+$/, '')
  throw new ClientError('usage', `${JSON.stringify(address)} is not a valid URL: ${problem}.`, {
    hint: 'An address is like https://registry.example, or http://127.0.0.1:5000 for plain HTTP.',
  })
}

const addressProblem = (address: string): string | undefined => {
  if (!/^https?:\/\//i.test(address)) return 'it does not begin with http:// or https://'
  if (!URL.canParse(address)) return 'its host or port cannot be read'
  return /[?#]/.test(address) ? 'it has a query or a fragment' : undefined
}
