import { ClientError, isClientError } from '../errors.ts'
import { stopped } from './stopping.ts'
import { IdleError, type Watch } from './watch.ts'

/** What was under way when it failed. */
export interface Circumstances {
  readonly method: string
  readonly url: string
  readonly signal: AbortSignal
  readonly watch: Watch
}

/** Fetch says `TypeError: fetch failed` whatever happened; what did is in its cause. */
export const toClientError = (error: unknown, { method, url, signal, watch }: Circumstances): ClientError => {
  const { origin, protocol, host } = new URL(url)
  if (signal.aborted) return stopped(signal.reason)
  if (watch.signal.aborted) {
    const reason = watch.signal.reason as unknown
    const text = reason instanceof IdleError ? reason.message : 'it took too long'
    return new ClientError('timeout', `${method} to ${origin} was given up: ${text}.`, { cause: error })
  }
  if (isClientError(error)) return error
  const causes = chain(error)
  // A source that fails while it is sent makes the request fail: the source's error is the one to know.
  const own = causes.find((cause) => isClientError(cause))
  if (own !== undefined) return own
  const codes = causes.map((cause) => ('code' in cause && typeof cause.code === 'string' ? cause.code : ''))
  const detail = causes.at(-1)?.message ?? String(error)
  const hint = tlsHint(codes, detail, protocol, host) ?? (causes.length === 1 ? pageHint(origin) : undefined)
  return new ClientError('network', `${method} to ${origin} failed: ${detail}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

const chain = (error: unknown): Error[] => {
  const causes: Error[] = []
  for (let cause = error; cause instanceof Error && causes.length < 10; cause = cause.cause) causes.push(cause)
  return causes
}

const tlsHint = (codes: readonly string[], detail: string, protocol: string, host: string): string | undefined => {
  if (codes.some((code) => /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code))) {
    return `The certificate of ${host} is not trusted. Give the CA that signed it.`
  }
  if (protocol === 'https:' && (/wrong version number|packet length/i.test(detail) || codes.includes('EPROTO'))) {
    return `${host} does not seem to speak TLS. If it speaks plain HTTP, say so.`
  }
  if (codes.includes('ENOTFOUND')) return `No address is known for ${host}. Check the name.`
  if (codes.includes('ECONNREFUSED')) return `Nothing listens at ${host}. Check the port, and whether it is running.`
  return undefined
}

/** Browsers give no reason. For a page of another origin it is mostly that it was not let in. */
const pageHint = (origin: string): string | undefined => {
  const { location } = globalThis as { location?: { origin?: string } }
  if (location?.origin === undefined || location.origin === origin) return undefined
  return `If ${origin} runs, it may not let in pages of ${location.origin}: have its CORS settings name that origin.`
}
