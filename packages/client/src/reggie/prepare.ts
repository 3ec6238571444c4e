import type { Content } from '../content/content.ts'
import { ClientError } from '../errors.ts'
import type { Request } from './request.ts'
import { checkUrl } from './template.ts'

/** A request as it is sent. */
export interface Prepared {
  /** With every parameter. */
  readonly url: URL
  readonly headers: Headers
  readonly content: Content | undefined
}

/**
 * Everything that can be found wrong with a request without sending it.
 *
 * @throws {ClientError} `usage` for an invalid request, `refused` for one to another origin than the client's
 */
export const prepare = (address: string, request: Request): Prepared => {
  const checked = checkUrl(request.url)
  const { origin } = new URL(address)
  if (checked.username !== '' || checked.password !== '') {
    throw new ClientError('usage', 'The request is invalid: its URL has credentials in it.', {
      hint: 'Give them by WithUsernamePassword or SetBasicAuth.',
    })
  }
  if (checked.origin !== origin) {
    throw new ClientError('refused', `This client speaks to ${origin}, and the request is for ${checked.origin}.`, {
      hint: `If ${checked.origin} is to be trusted, make a client for it: NewClient(${JSON.stringify(checked.origin)}).`,
    })
  }
  const url = new URL(withParams(request.url, request.params))
  const { headers, content } = withLength(new Headers(request.headers), request.body)
  if (content !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
    throw new ClientError('usage', `The request is invalid: ${request.method} has no body.`)
  }
  return { url, headers, content }
}

/** Added to the text: parsing and writing a query that a registry made would change it, and it may be signed. */
const withParams = (url: string, params: Readonly<Record<string, string>>): string => {
  const names = Object.keys(params)
  if (names.length === 0) return url
  const at = url.indexOf('?')
  const own = at === -1 ? [] : url.slice(at + 1).split('&')
  const kept = own.filter((part) => part !== '' && !names.includes([...new URLSearchParams(part).keys()][0] ?? ''))
  const added = names.map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(params[name] ?? '')}`)
  return `${at === -1 ? url : url.slice(0, at)}?${[...kept, ...added].join('&')}`
}

/** The length is the body's own. One that the caller gave must be right, and stands for a body that does not know its own. */
const withLength = (headers: Headers, content: Content | undefined): Pick<Prepared, 'headers' | 'content'> => {
  const said = headers.get('content-length')
  // Whoever sends the request writes it.
  headers.delete('content-length')
  if (said === null) return { headers, content }
  const size = content === undefined ? 0 : content.size
  if (!/^\d+$/.test(said) || (size !== undefined && Number(said) !== size)) {
    throw new ClientError(
      'usage',
      `The request is invalid: Content-Length is ${said}, and the body has ${size} bytes.`,
      {
        hint: 'Leave the header away: it is set by itself.',
      },
    )
  }
  return { headers, content: content === undefined ? content : { ...content, size: Number(said) } }
}
