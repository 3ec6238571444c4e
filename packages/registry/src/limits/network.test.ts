import { describe, expect, it } from 'vitest'
import { networkOf, plainAddress } from './network.ts'

describe('networkOf', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['::FFFF:c000:024d', '192.0.2.0/24'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.0/24'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:DB8:0:1::', '2001:db8:0:1::/64'],
    ['2001:0db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    // Not the prefix of mapped addresses.
    ['::ffff:0:192.0.2.1', '0:0:0:0::/64'],
    [undefined, 'unknown'],
    ['', 'unknown'],
    ['localhost', 'unknown'],
    ['192.0.2.300', 'unknown'],
    ['1::2::3', 'unknown'],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

it('an address has one spelling', () => {
  expect(plainAddress('2001:0DB8::0001')).toEqual(plainAddress('2001:db8:0:0:0:0:0:1'))
  expect(plainAddress('::ffff:10.0.0.1')).toEqual({ family: 'ipv4', address: '10.0.0.1' })
  expect(plainAddress('10.0.0.1:80')).toBeUndefined()
})
