import type { Fetch } from '../transport/fetch.ts'
import { redactHeaders, redactJson, redactUrls, without } from './redact.ts'
import type { Response } from './response.ts'
import type { Settings } from './settings.ts'

/** Writes what goes over the wire, without its secrets. */
export interface Debug {
  /** The same `fetch`, and each of its exchanges is written: redirects and token requests too, but no body. */
  around(fetch: Fetch): Fetch
  /** The body of an answer, where it is short JSON; else its length. */
  body(response: Response): void
}

const longestBody = 16 * 1024
/** Authorization that is remembered, to be found in what a registry says. */
const mostSecrets = 100

export const createDebug = ({ config, log }: Pick<Settings, 'config' | 'log'>): Debug => {
  const secrets = new Set([config.Password])
  const write = (...lines: readonly string[]): void => log(printable(without(secrets, lines.join('\n'))))
  const remember = (authorization: string | null): void => {
    const secret = authorization?.replace(/^\S+ +/, '') ?? ''
    if (secrets.size < mostSecrets) secrets.add(secret)
  }
  return {
    around: (fetch) => async (url, init) => {
      remember(init.headers.get('authorization'))
      write(`> ${init.method} ${redactUrls(url)}`, ...redactHeaders(init.headers).map((line) => `>   ${line}`))
      const began = performance.now()
      const took = (): string => `${Math.round(performance.now() - began)} ms`
      try {
        const answer = await fetch(url, init)
        const lines = redactHeaders(answer.headers).map((line) => `<   ${line}`)
        write(`< ${answer.status} ${init.method} ${redactUrls(url)} (${took()})`, ...lines)
        return answer
      } catch (error) {
        write(`! ${init.method} ${redactUrls(url)} failed (${took()}): ${String(error)}`)
        throw error
      }
    },
    body(response) {
      const bytes = response.Body()
      if (bytes.byteLength === 0) return
      const json = bytes.byteLength <= longestBody ? redactJson(response.text()) : undefined
      write(`< body of ${redactUrls(response.url)}`, `<   ${json ?? `${bytes.byteLength} bytes`}`)
    },
  }
}

/** A registry's words end up on terminals. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}--[\n\t]]/gv, '\ufffd')
