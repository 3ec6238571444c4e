/**
 * One request as Reggie for Python (`opencontainers` 0.0.14 on `requests`) puts it on the wire: the same headers in the same
 * order and no others, one fresh connection a request. There is no `Connection` header and no `Accept` unless the caller
 * sets one. Locations are read as its `GetRelativeLocation` reads them.
 */
import { request } from 'node:http'

export interface ReggieResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface ReggieRequest {
  /** Headers the caller sets, in the order of the calls. `Content-Length` is added as `requests` does it. */
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal?: AbortSignal
}

const userAgent = 'reggie-python/0.0.14 (https://github.com/vsoch/oci-python)'

export function reggieRequest(
  base: string,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  { headers = {}, query = {}, body, signal }: ReggieRequest = {},
): Promise<ReggieResponse> {
  const { hostname, port, host } = new URL(base)
  const lines = [
    'Host',
    host,
    'Accept-Encoding',
    'identity',
    'User-Agent',
    userAgent,
    ...Object.entries(headers).flat(),
  ]
  if (method !== 'GET' && headers['Content-Length'] === undefined) {
    lines.push('Content-Length', String(body?.length ?? 0))
  }
  return new Promise((resolve, reject) => {
    const call = request(
      {
        hostname,
        port,
        method,
        path: withQuery(path, query),
        headers: lines,
        // Without these two Node would add `Connection` and keep the socket for the next request.
        setDefaultHeaders: false,
        agent: false,
        ...(signal === undefined ? {} : { signal }),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          call.destroy()
          resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), body: Buffer.concat(chunks) })
        })
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

/** `requests` adds its parameters to whatever query the URL already has. */
function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const added = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
  if (added.length === 0) return path
  return `${path}${path.includes('?') ? '&' : '?'}${added.join('&')}`
}

/** Reggie's own rule: what follows the third slash of an absolute Location, anything else as it is. */
export function relativeLocation(response: ReggieResponse): string {
  const location = response.headers['location'] ?? ''
  return location.startsWith('http') ? `/${location.split('/').slice(3).join('/')}` : location
}

function flat(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return result
}
