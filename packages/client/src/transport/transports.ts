import type { CredentialSource } from '../credentials/credential.ts'
import { ClientError } from '../errors.ts'
import type { HostOptions } from './hosts.ts'
import { isLoopback } from './origin.ts'
import type { TransportOptions } from './call.ts'
import { createTransport, type Transport } from './transport.ts'

export interface TransportsOptions extends Omit<TransportOptions, 'hosts'> {
  /** By the one name that each has; `*` is for all others. */
  readonly hosts: ReadonlyMap<string, HostOptions>
}

/** The usual transport, and one for each registry that is said to be spoken to otherwise. Disposing of them ends all that is under way. */
export interface Transports extends AsyncDisposable {
  readonly usual: Transport
  /**
   * @param plainHttp said by `http://` or `https://` before a reference; it holds for that one alone
   * @throws {ClientError} `usage` when `hosts` says otherwise
   */
  to(registry: string, plainHttp: boolean | undefined): Transport
}

export const createTransports = ({ hosts, ...options }: TransportsOptions): Transports => {
  const optionsOf = (registry: string): HostOptions => hosts.get(registry) ?? hosts.get('*') ?? {}
  const usual = createTransport({ ...options, hosts: optionsOf })
  const others = new Map<string, Transport>()

  const differing = (registry: string, plainHttp: boolean): Pick<TransportOptions, 'hosts' | 'credentials'> => {
    // A reference may come from anywhere: it is no leave to say secrets aloud.
    const bare = plainHttp && !isLoopback(registry.replace(/:\d+$/, ''))
    return {
      hosts: (name) => {
        if (name !== registry) return optionsOf(name)
        return { ...optionsOf(name), plainHttp, ...(bare ? { headers: {} } : {}) }
      },
      credentials: bare ? withheld(registry, options.credentials) : options.credentials,
    }
  }

  return {
    usual,
    to(registry, plainHttp) {
      if (plainHttp === undefined) return usual
      const { endpoint } = usual.host(registry)
      if (plainHttp === endpoint.startsWith('http:')) return usual
      const scheme = plainHttp ? 'http' : 'https'
      // Only what is said of all the others gives way.
      if (optionsOf(registry).endpoint !== undefined || hosts.get(registry)?.plainHttp !== undefined) {
        throw new ClientError('usage', `${registry} is said to speak ${scheme}, and by hosts it is at ${endpoint}.`, {
          hint: `Leave ${scheme}:// away, or correct hosts["${registry}"].`,
        })
      }
      const key = `${scheme}://${registry}`
      const other = others.get(key) ?? createTransport({ ...options, ...differing(registry, plainHttp) })
      others.set(key, other)
      return other
    },
    async [Symbol.asyncDispose]() {
      for (const each of [usual, ...others.values()]) await each[Symbol.asyncDispose]()
    },
  }
}

/** @throws {ClientError} `refused` where there are credentials for that registry */
const withheld =
  (registry: string, credentials: CredentialSource): CredentialSource =>
  async (request) => {
    const found = await credentials(request)
    if (found === undefined || request.registry !== registry) return found
    throw new ClientError('refused', `${registry} wants credentials in clear text. They were not sent.`, {
      subject: registry,
      hint: `If ${registry} is to see them over plain HTTP, say so besides the reference: hosts["${registry}"].plainHttp.`,
    })
  }
