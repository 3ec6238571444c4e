import { shown } from './shown.ts'

const label = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/

/** What is wrong with the host of a registry, port included: a name, an IPv4 address, or an IPv6 address in brackets. */
export const hostProblem = (text: string): string | undefined => {
  if (text.length > 261) return `has ${text.length} characters: a host has at most 255 and a port 5`
  const closing = text.startsWith('[') ? text.indexOf(']') : -1
  const colon = text.indexOf(':', closing + 1)
  const host = colon === -1 ? text : text.slice(0, colon)
  if (host.startsWith('[')) {
    if (!host.endsWith(']') || !isIpv6(host.slice(1, -1))) return `${shown(host)} is not an IPv6 address in brackets`
  } else {
    const wrong = host.split('.').find((part) => !label.test(part))
    if (wrong !== undefined) {
      return wrong === ''
        ? `${shown(host)} has an empty part: a host is names joined by dots`
        : `${shown(wrong)} is not a part of a host name: letters and digits, with dashes between them`
    }
  }
  if (colon === -1) return undefined
  const port = text.slice(colon + 1)
  return /^[0-9]{1,5}$/.test(port) && Number(port) <= 65_535 ? undefined : `${shown(port)} is not a port: 0 to 65535`
}

/** Compressed or not; without zone and without IPv4 at the end, as Docker's references have it. */
const isIpv6 = (text: string): boolean => {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false
  return halves.length === 2 ? groups.length < 8 : groups.length === 8
}
