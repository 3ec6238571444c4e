import { isIPv4 } from 'node:net'

/** What somebody else should serve cannot be had, or not as it should be. That says nothing about who asked for it. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
}

export type Fetch = typeof globalThis.fetch

const longestUrl = 1024

/** What is wrong with the address of a document that the registry is to trust: https, or http where no network is between. */
export const remoteUrlProblem = (text: unknown): string | undefined => {
  if (typeof text !== 'string' || text === '') return 'is a URL'
  if (text.length > longestUrl) return `has at most ${longestUrl} characters`
  if (!URL.canParse(text)) return 'is a URL, as in https://issuer.example'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'has no credentials in it'
  if (url.hash !== '' || text.includes('#')) return 'has no fragment'
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:' && isLoopback(url.hostname)) return undefined
  return 'begins with https:// (http:// only on this machine: 127.0.0.1, [::1] or localhost)'
}

/** The host of a URL, as `URL` writes it. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'))

/**
 * A small document of somebody else: no credentials go out, no redirect is followed, and neither its size nor its time is
 * theirs to choose.
 *
 * @throws UnavailableError
 */
export const fetchDocument = async (
  url: string,
  options: { readonly fetch: Fetch; readonly mostBytes: number; readonly signal: AbortSignal; readonly accept: string },
): Promise<unknown> => {
  const { fetch, mostBytes, signal, accept } = options
  try {
    const response = await fetch(url, {
      // Not compressed: what is small on the way could be large here.
      headers: { accept, 'accept-encoding': 'identity' },
      redirect: 'error',
      credentials: 'omit',
      signal,
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new UnavailableError(`It answered with the status ${response.status}.`)
    }
    return JSON.parse(await textOf(response, mostBytes)) as unknown
  } catch (error) {
    if (error instanceof UnavailableError) throw error
    throw new UnavailableError(reasonOf(error), { cause: error })
  }
}

const textOf = async (response: Response, mostBytes: number): Promise<string> => {
  const pieces: Uint8Array[] = []
  let size = 0
  // Leaving the loop cancels the body, and with it the connection.
  for await (const piece of response.body ?? []) {
    size += piece.byteLength
    if (size > mostBytes) throw new UnavailableError(`Its document is larger than ${mostBytes} bytes.`)
    pieces.push(piece)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces))
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'It could not be reached.'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'It took too long.'
  if (error instanceof SyntaxError) return 'Its document is not JSON.'
  // Of `fetch`: the reason is one deeper (`connect ECONNREFUSED …`, `unexpected redirect`).
  const cause = error.cause instanceof Error ? error.cause.message : error.message
  return `It could not be read: ${cause.slice(0, 200)}.`
}
