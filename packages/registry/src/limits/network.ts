import { isIPv4, isIPv6 } from 'node:net'

/**
 * An address in one spelling: IPv4 inside IPv6 (`::ffff:192.0.2.1`, as a socket of both families shows it) is IPv4, and a
 * zone (`%eth0`) is gone. Undefined for what is not an address.
 */
export const plainAddress = (
  text: string,
): { readonly family: 'ipv4' | 'ipv6'; readonly address: string } | undefined => {
  if (isIPv4(text)) return { family: 'ipv4', address: text }
  const groups = groupsOf(text)
  if (groups === undefined) return undefined
  const [high = 0, low = 0] = groups.slice(6)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return { family: 'ipv4', address: [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.') }
  }
  return { family: 'ipv6', address: groups.map((group) => group.toString(16)).join(':') }
}

/**
 * The network of an address: what one customer of a provider usually has, and thus what limits count by. `192.0.2.0/24` of
 * an IPv4 address, `2001:db8:0:1::/64` of an IPv6 address, `unknown` where there is none.
 */
export const networkOf = (address: string | undefined): string => {
  const plain = address === undefined ? undefined : plainAddress(address)
  if (plain === undefined) return 'unknown'
  if (plain.family === 'ipv4') return `${plain.address.slice(0, plain.address.lastIndexOf('.'))}.0/24`
  return `${plain.address.split(':').slice(0, 4).join(':')}::/64`
}

/** The eight groups of an IPv6 address. */
const groupsOf = (text: string): number[] | undefined => {
  if (!isIPv6(text)) return undefined
  const [address = ''] = text.split('%', 1)
  const [front = '', back] = address.split('::', 2)
  const before = groupsIn(front)
  if (back === undefined) return before
  const after = groupsIn(back)
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}

/** The last group may be two, written as IPv4. */
const groupsIn = (part: string): number[] =>
  part === ''
    ? []
    : part.split(':').flatMap((group) => {
        if (!group.includes('.')) return [Number.parseInt(group, 16)]
        const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
        return [a * 256 + b, c * 256 + d]
      })
