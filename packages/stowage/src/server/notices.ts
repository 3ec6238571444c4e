import { resolve } from 'node:path'
import type { Address } from '../config/address.ts'
import { settingOf, type Settings } from '../config/settings.ts'
import { beyondLoopback } from './policy.ts'

export interface NoticeFacts {
  readonly settings: Settings
  readonly listen: Address
  /** The server itself speaks TLS. */
  readonly secure: boolean
  /** Whether somebody could log in; `disabled`: there are users, and none of them can. */
  readonly users: 'none' | 'disabled' | 'some'
}

/** What whoever starts a server has to know of who may use it: one sentence or two each. */
export const noticesOf = ({ settings, listen, secure, users }: NoticeFacts): string[] => {
  const beyond = beyondLoopback(listen)
  const idle = idleSettings(settings)
  if (settings.auth !== true) {
    const who = beyond ? 'everyone who can reach this registry' : 'everyone on this machine'
    const may = `${who} may push, pull and delete.`
    const open =
      settings.auth === false
        ? `auth is off: ${may}`
        : `auth is not on: ${may} Turn it on with --auth (STOWAGE_AUTH=on, auth: on); --no-auth says that this is meant.`
    return [open, ...idle]
  }
  const data = settings.data === resolve('data') ? '' : ` --data ${settings.data}`
  const notices: string[] = []
  if (users === 'none') {
    notices.push(`There is no user yet. Make the first one with: stowage user add admin --administrator${data}`)
  }
  if (users === 'disabled') {
    notices.push(`Every user is disabled: nobody can log in. Let one in again with: stowage user enable NAME${data}`)
  }
  if (beyond && !secure && settings.publicUrl?.startsWith('https:') !== true) {
    notices.push(
      'Passwords and tokens come here in clear text. Set tls.cert and tls.key, or publicUrl if a proxy in front speaks TLS.',
    )
  }
  return [...notices, ...idle]
}

/** What was written down, and does nothing: no harm, but somebody relies on it. */
const idleSettings = (settings: Settings): string[] => [
  ...(settings.auth === true && settings.allowAnonymous
    ? ['allowAnonymous (--allow-anonymous) does nothing while auth is on: what anonymous may is said by rules.']
    : []),
  ...(settings['admin.name'] !== settingOf('admin.name').default &&
  settings['admin.password'] === undefined &&
  settings['admin.passwordFile'] === undefined
    ? ['admin.name does nothing without admin.password or admin.passwordFile: no administrator is made.']
    : []),
]
