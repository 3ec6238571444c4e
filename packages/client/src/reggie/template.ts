/** Paths with placeholders. */
import { isDigest, parseDigest, parseRepositoryName, ParseError, parseTag } from '@stowage/oci'
import { ClientError } from '../errors.ts'

/** What stands for each placeholder; empty is not filled. */
export interface Values {
  readonly name?: string
  readonly reference?: string
  readonly digest?: string
  readonly session_id?: string
}

const options: Readonly<Record<keyof Values, string>> = {
  name: 'WithName or WithDefaultName',
  reference: 'WithReference',
  digest: 'WithDigest',
  session_id: 'WithSessionID',
}

const isPlaceholder = (name: string): name is keyof Values => Object.hasOwn(options, name)

const placeholder = /<(name|reference|digest|session_id)>/g

/** A whole URL stays as it is; everything else is below the address, whose own path is kept. Placeholders with a value are filled. */
export const fill = (address: string, path: string, values: Values): string => {
  if (typeof path !== 'string' || path === '') {
    throw new ClientError('usage', 'The path of the request is empty.', {
      hint: 'If it is the Location of an answer: look at its status and Errors(), for it had no Location.',
    })
  }
  const url = /^https?:\/\//i.test(path) ? path : `${address}/${path.replace(/^\//, '')}`
  return url.replaceAll(placeholder, (text, name: keyof Values) => encode(values[name] ?? '') || text)
}

/** Names keep their slashes, and digests their colons: in a path neither needs to be encoded. */
const encode = (value: string): string => encodeURIComponent(value).replaceAll('%2F', '/').replaceAll('%3A', ':')

/**
 * The URL that `fill` gave, if it can be sent as it is written.
 *
 * @throws {ClientError} `usage`, saying what is wrong
 */
export const checkUrl = (url: string): URL => {
  const open = /<([^<>]*)>/.exec(url)
  if (open !== null) {
    const [text, name = ''] = open
    if (isPlaceholder(name)) throw invalid(`${text} stands for nothing`, `Give it by ${options[name]}.`)
    throw invalid(`${text} is no placeholder`, `There are <${Object.keys(options).join('>, <')}>.`)
  }
  const path = url.replace(/^https?:\/\//i, '').replace(/\?.*$/s, '')
  if (/\/{3,}/.test(path)) throw invalid('its path has three or more slashes in a row')
  // The URL parser would take these away, and something else would be sent than was written.
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) throw invalid('its path has a segment of dots, which would not be sent')
  if (/[\\#]|[^\x21-\uffff]/.test(url)) throw invalid('its URL has a space, a backslash, a "#" or a control character')
  if (!URL.canParse(url)) throw invalid('its URL cannot be read')
  return new URL(url)
}

const invalid = (what: string, hint?: string): ClientError =>
  new ClientError('usage', `The request is invalid: ${what}.`, hint === undefined ? {} : { hint })

/** Empty is allowed, and leaves the placeholder open. */
export const checkName = (name: string): string => check(name, parseRepositoryName)

export const checkDigest = (digest: string): string => check(digest, parseDigest)

export const checkReference = (reference: string): string =>
  check(reference, (text) => (isDigest(text) ? text : text.includes(':') ? parseDigest(text) : parseTag(text)))

/** Registries name uploads as they like; some use several segments of a path. */
export const checkSessionId = (id: string): string => {
  if (id === '' || id.split('/').every((segment) => !/^\.{0,2}$/.test(segment))) return id
  throw new ClientError(
    'usage',
    `${JSON.stringify(id)} cannot be a session ID: it has an empty segment, or one of dots.`,
  )
}

const check = (text: string, parse: (text: string) => string): string => {
  try {
    return text === '' ? text : parse(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw new ClientError('usage', error.message, {
      cause: error,
      hint: 'To see what a registry says of it, write it into the path itself.',
    })
  }
}
