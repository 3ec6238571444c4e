import { isLoopback } from './address.ts'

/** Whether it is meant to be a URL, and not the path of a file. */
export const isUrl = (text: string): boolean => /^https?:/i.test(text)

/** What can stand between quotes in a header. */
export const plainText = /^[ !#-[\]-~]{1,1024}$/

/** An http or https URL, taken to the letter: what stands behind the last slash, or a query, may matter. */
export const isEndpoint = (text: string): boolean => {
  if (!isUrl(text) || !URL.canParse(text)) return false
  const { username, password, hash } = new URL(text)
  return `${username}${password}${hash}` === '' && plainText.test(text)
}

/** One that nobody on the way can answer for: https, or http where no network is between. */
export const isSecureEndpoint = (text: string): boolean => {
  if (!isEndpoint(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
}
