import { mediaTypeWithoutParameters } from '@stowage/oci'
import { type Authorization, parseAuthorization } from '../accounts/authorization-header.ts'
import type { TokenGrant, TokenRequest } from '../accounts/token-service.ts'
import { type ErrorHints, RegistryError } from '../errors.ts'
import type { Incoming } from './exchange.ts'
import { refuseContentEncoding } from './uploads.ts'

/** What was asked for, without the address it came from. */
export type AskedToken = Omit<TokenRequest, 'remoteAddress'>

/** Bytes. ID tokens of CI systems have a few thousand. */
const maxForm = 64 * 1024
/** Characters. */
const maxWord = 1024
const maxSecret = 16 * 1024

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const grantTypes = ['password', 'refresh_token', tokenExchange]
/** RFC 8693 section 3. Both are a JWT of the issuer. */
const subjectTokenTypes = ['urn:ietf:params:oauth:token-type:jwt', 'urn:ietf:params:oauth:token-type:id_token']
const issuedTokenTypes = ['urn:ietf:params:oauth:token-type:access_token', 'urn:ietf:params:oauth:token-type:jwt']

/** By GET: credentials in the header or none, everything else in the query. */
export const tokenRequestOfQuery = (query: URLSearchParams, header: string | null): AskedToken => {
  const parameters = parametersOf(query)
  const account = parameters.one('account')
  const basic = basicOf(header)
  if (basic !== undefined && account !== undefined && account !== basic.name) {
    throw refused('account', 'is not the user name in the header `Authorization`. Leave it away or send the same.')
  }
  return {
    grant: basic ?? { kind: 'anonymous' },
    ...common(parameters),
    offline: parameters.one('offline_token') === 'true',
  }
}

/** By POST (RFC 6749, RFC 8693): a form. */
export const tokenRequestOfForm = async (incoming: Incoming): Promise<AskedToken> => {
  const parameters = parametersOf(await readForm(incoming))
  const basic = basicOf(incoming.header('authorization'))
  return {
    grant: grantOf(parameters, basic),
    ...common(parameters),
    offline: parameters.one('access_type') === 'offline',
  }
}

const common = (parameters: Parameters): Pick<AskedToken, 'scopes' | 'service' | 'clientId'> => {
  // RFC 8693 calls it `audience`: whom the token is for.
  const service = parameters.one('service') ?? parameters.one('audience')
  const clientId = parameters.one('client_id')
  return {
    scopes: parameters.all('scope'),
    ...(service !== undefined && { service }),
    ...(clientId !== undefined && { clientId }),
  }
}

type PasswordGrant = TokenGrant & { kind: 'password' }

const grantOf = (parameters: Parameters, basic: PasswordGrant | undefined): TokenGrant => {
  const type = parameters.required('grant_type')
  const inHeader = basic !== undefined
  switch (type) {
    case 'password': {
      const name = parameters.one('username')
      const password = parameters.one('password', maxSecret)
      if (!inHeader) {
        return {
          kind: 'password',
          name: name ?? parameters.required('username'),
          password: password ?? parameters.required('password'),
        }
      }
      // "The client MUST NOT use more than one authentication method in each request."
      if (name === undefined && password === undefined) return basic
      throw refused('username', 'goes either into the form or into the header `Authorization`, not into both.')
    }
    case 'refresh_token': {
      if (inHeader) throw superfluous()
      return { kind: 'refresh_token', token: parameters.required('refresh_token', maxSecret) }
    }
    case tokenExchange: {
      if (inHeader) throw superfluous()
      return exchangeOf(parameters)
    }
    default:
      throw refused('grant_type', `is none of ${grantTypes.join(', ')}.`, 'unsupported_grant_type')
  }
}

const exchangeOf = (parameters: Parameters): TokenGrant => {
  const token = parameters.required('subject_token', maxSecret)
  if (!subjectTokenTypes.includes(parameters.required('subject_token_type'))) {
    throw refused('subject_token_type', `is none of ${subjectTokenTypes.join(', ')}.`)
  }
  const wanted = parameters.one('requested_token_type')
  if (wanted !== undefined && !issuedTokenTypes.includes(wanted)) {
    throw refused('requested_token_type', `is none of ${issuedTokenTypes.join(', ')}.`)
  }
  // Who acts for whom is kept nowhere here: a token that hides the actor must not be given.
  if (parameters.one('actor_token', maxSecret) !== undefined) {
    throw refused('actor_token', 'is not taken: nobody acts for somebody else here.')
  }
  return { kind: 'exchange', token }
}

const superfluous = (): RegistryError =>
  new RegistryError('query-invalid', 'The token says who asks. Leave the header `Authorization` away.')

const basicOf = (header: string | null): PasswordGrant | undefined => {
  const authorization = readAuthorization(header)
  if (authorization === undefined) return undefined
  if (authorization.scheme === 'basic') {
    return { kind: 'password', name: authorization.name, password: authorization.password }
  }
  throw new RegistryError('unauthorized', 'The token endpoint takes Basic in the header `Authorization`, or nothing.', {
    hints: { login: 'invalid-credentials' },
  })
}

/** What cannot be read is bad input here and not a wrong password: a client that asked its user again would ask for ever. */
const readAuthorization = (header: string | null): Authorization | undefined => {
  try {
    return parseAuthorization(header)
  } catch (error) {
    if (error instanceof RegistryError) throw new RegistryError('query-invalid', error.message)
    throw error
  }
}

const readForm = async (incoming: Incoming): Promise<URLSearchParams> => {
  const type = mediaTypeWithoutParameters(incoming.header('content-type') ?? '')
  if (type !== 'application/x-www-form-urlencoded') {
    throw new RegistryError(
      'form-type',
      'The body must be a form. Send it with `Content-Type: application/x-www-form-urlencoded`.',
    )
  }
  refuseContentEncoding(incoming)
  if (Number(incoming.header('content-length') ?? 0) > maxForm) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of incoming.body(incoming.signal())) {
    size += chunk.byteLength
    if (size > maxForm) throw tooLarge()
    chunks.push(chunk)
  }
  // What is no UTF-8 becomes U+FFFD, in the bytes as in what is percent-encoded, and is refused with its field.
  return new URLSearchParams(Buffer.concat(chunks, size).toString())
}

const tooLarge = (): RegistryError =>
  new RegistryError('form-too-large', `A request for a token may have at most ${maxForm} bytes.`)

interface Parameters {
  /** RFC 6749 section 3.2: "Parameters sent without a value MUST be treated as if they were omitted". */
  one(name: string, longest?: number): string | undefined
  required(name: string, longest?: number): string
  all(name: string): string[]
}

const parametersOf = (given: URLSearchParams): Parameters => {
  const one = (name: string, longest = maxWord): string | undefined => {
    const values = given.getAll(name)
    // "Request and response parameters MUST NOT be included more than once."
    if (values.length > 1) throw refused(name, 'is there more than once. Send it once.')
    const [value] = values
    return value === undefined || value === '' ? undefined : checked(name, value, longest)
  }
  return {
    one,
    required: (name, longest) => {
      const value = one(name, longest)
      if (value !== undefined) return value
      throw refused(name, 'is missing.')
    },
    all: (name) =>
      given
        .getAll(name)
        .filter((value) => value !== '')
        .map((value) => checked(name, value, maxSecret)),
  }
}

const control = /\p{Cc}/u

const checked = (name: string, value: string, longest: number): string => {
  if (value.length > longest) throw refused(name, `has more than ${longest} characters.`)
  if (control.test(value)) throw refused(name, 'has control characters.')
  if (value.includes('\ufffd')) throw refused(name, 'is not in UTF-8.')
  return value
}

/** Never with the value: it may be a secret in the wrong place. */
const refused = (parameter: string, what: string, oauth?: ErrorHints['oauth']): RegistryError =>
  new RegistryError('query-invalid', `The parameter \`${parameter}\` ${what}`, {
    detail: { parameter },
    ...(oauth !== undefined && { hints: { oauth } }),
  })
