import { resolve } from 'node:path'
import type { Address } from '../config/address.ts'
import type { Settings } from '../config/settings.ts'
import { beyondLoopback } from './policy.ts'

export interface NoticeFacts {
  readonly settings: Settings
  readonly listen: Address
  /** The server itself speaks TLS. */
  readonly secure: boolean
  /** Somebody could log in. */
  readonly hasUsers: boolean
}

/** What whoever starts a server has to know of who may use it: one sentence or two each. */
export const noticesOf = ({ settings, listen, secure, hasUsers }: NoticeFacts): string[] => {
  const beyond = beyondLoopback(listen)
  if (settings.auth !== true) {
    const who = beyond ? 'everyone who can reach this registry' : 'everyone on this machine'
    const may = `${who} may push, pull and delete.`
    return settings.auth === false
      ? [`auth is off: ${may}`]
      : [
          `auth is not on: ${may} Turn it on with --auth (STOWAGE_AUTH=on, auth: on); --no-auth says that this is meant.`,
        ]
  }
  const notices: string[] = []
  if (!hasUsers) {
    const data = settings.data === resolve('data') ? '' : ` --data ${settings.data}`
    notices.push(`There is no user yet. Make the first one with: stowage user add admin --administrator${data}`)
  }
  if (beyond && !secure && settings.publicUrl?.startsWith('https:') !== true) {
    notices.push(
      'Passwords and tokens come here in clear text. Set tls.cert and tls.key, or publicUrl if a proxy in front speaks TLS.',
    )
  }
  return notices
}
