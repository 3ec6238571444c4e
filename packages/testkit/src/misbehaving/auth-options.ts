import type { Access } from './access.ts'
import type { ChallengeForm } from './challenge-forms.ts'
import type { Origin } from './call.ts'

/** Who may do what, and how they show who they are. */
export interface AuthOptions {
  /** `basic`: name and password with each request. `bearer`: a token with sufficient scope, from the token endpoint. */
  readonly scheme: 'basic' | 'bearer'
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>
  /**
   * What somebody gets a token for; undefined is whoever showed no credentials. Default: users everything, others nothing. A
   * token for less than was asked is no error, as everywhere in the field: the registry refuses it then.
   */
  readonly may?: (user: string | undefined, access: Access) => boolean
  /** Where the challenge sends clients for tokens: `/token` of one of the two origins, or any address. Default: `registry`. */
  readonly realm?: Origin | { readonly address: string }
  /** Default: `registry.test`. */
  readonly service?: string
  /** How the challenge is written. Default: `challengeForms.usual`. */
  readonly challenge?: ChallengeForm
  /** Seconds a token is valid, said as `expires_in`. Default 300. */
  readonly lifetime?: number
  /** Leave `expires_in` out: then a token must be taken to be valid for 60 seconds. */
  readonly withoutExpiresIn?: boolean
  /** What the token is called in the answer. Default: `token`. */
  readonly tokenField?: 'token' | 'access_token' | 'both'
  /** Answer a POST to the token endpoint. Default: true; where it is false it is answered 405. */
  readonly oauth2?: boolean
}

export const realmOf = ({ realm = 'registry' }: AuthOptions, urls: Readonly<Record<Origin, string>>): string =>
  typeof realm === 'object' ? realm.address : `${urls[realm]}/token`

export const serviceOf = ({ service = 'registry.test' }: AuthOptions): string => service

export const mayDo = ({ may }: AuthOptions, user: string | undefined, access: Access): boolean =>
  may === undefined ? user !== undefined : may(user, access)

/** `unknown` when credentials were shown and are wrong; undefined when there were none. */
export const basicUser = (
  { users }: AuthOptions,
  header: string | undefined,
): { name: string } | 'unknown' | undefined => {
  if (header === undefined) return undefined
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header)?.[1]
  if (encoded === undefined) return 'unknown'
  const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  return Object.hasOwn(users, name) && users[name] === password ? { name } : 'unknown'
}
