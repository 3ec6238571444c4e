import { describe, expect, it } from 'vitest'
import { createClientAddress } from './proxies.ts'

const ask = (trusted: string[], peer: string | undefined, headers: Record<string, string> = {}) =>
  createClientAddress({ trusted })(peer, (name) => headers[name] ?? null)

/** Two proxies: the outer one at 10.1.1.1, the inner one at 10.2.2.2. */
const trusted = ['10.0.0.0/8', '2001:db8:aaaa::/48']
const inner = '10.2.2.2'

describe('without a trusted peer nothing is believed', () => {
  const lies = {
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    forwarded: 'for=192.0.2.1;proto=https;host=evil.example',
  }

  it.each([
    ['nobody is trusted', [], '198.51.100.9'],
    ['nobody is trusted, loopback either', [], '127.0.0.1'],
    ['the peer is another one', trusted, '198.51.100.9'],
    ['the peer is just outside', trusted, '11.0.0.0'],
  ])('%s', (_, list, peer) => {
    expect(ask(list, peer, lies)).toEqual({ address: peer })
  })

  it('a connection without an address is nobody', () => {
    expect(ask(['0.0.0.0/0', '::/0'], undefined, lies)).toEqual({ address: undefined })
  })

  it('what is not an address stays what it is', () => {
    expect(ask(['0.0.0.0/0'], 'somewhere', lies)).toEqual({ address: 'somewhere' })
  })

  it('the address of a socket of both families is IPv4', () => {
    expect(ask([], '::ffff:198.51.100.9')).toEqual({ address: '198.51.100.9' })
  })
})

describe('X-Forwarded-For', () => {
  it.each([
    ['one proxy', '192.0.2.1', '192.0.2.1'],
    ['two proxies', '192.0.2.1, 10.1.1.1', '192.0.2.1'],
    ['what the client made up', '203.0.113.7, 192.0.2.1, 10.1.1.1', '192.0.2.1'],
    ['a trusted address that the client made up', '10.9.9.9, 192.0.2.1', '192.0.2.1'],
    ['a client inside', '10.3.3.3, 10.1.1.1', '10.3.3.3'],
    ['no spaces', '192.0.2.1,10.1.1.1', '192.0.2.1'],
    ['ports', '192.0.2.1:55555, 10.1.1.1:80', '192.0.2.1'],
    ['IPv6', '2001:DB8:1::0001', '2001:db8:1:0:0:0:0:1'],
    ['IPv6 with a port', '[2001:db8:1::1]:443', '2001:db8:1:0:0:0:0:1'],
    ['a trusted IPv6 proxy', '192.0.2.1, 2001:db8:aaaa::5', '192.0.2.1'],
    ['IPv4 inside IPv6', '192.0.2.1, ::ffff:10.1.1.1', '192.0.2.1'],
    ['nothing', '', inner],
    ['no address', 'unknown', inner],
    ['no address behind a proxy', 'unknown, 10.1.1.1', '10.1.1.1'],
    ['an empty value', '192.0.2.1, , 10.1.1.1', '10.1.1.1'],
    ['a trailing comma', '192.0.2.1,', inner],
    ['too big a number', '192.0.2.1, 10.1.1.256', inner],
    ['a host name', '192.0.2.1, proxy.internal', inner],
    ['a network', '192.0.2.0/24', inner],
    ['a very long value', `${'1'.repeat(10_000)}, 10.1.1.1`, '10.1.1.1'],
  ])('%s', (_, value, address) => {
    expect(ask(trusted, inner, { 'x-forwarded-for': value })).toEqual({ address })
  })

  it('the walk has an end', () => {
    const chain = ['192.0.2.1', ...Array.from({ length: 5000 }, () => '10.1.1.1')].join(', ')
    expect(ask(trusted, inner, { 'x-forwarded-for': chain })).toEqual({ address: '10.1.1.1' })
  })

  it('a peer that comes as IPv4 inside IPv6 is trusted as what it is', () => {
    for (const peer of ['::ffff:10.2.2.2', '::ffff:a02:202']) {
      expect(ask(trusted, peer, { 'x-forwarded-for': '192.0.2.1' })).toEqual({ address: '192.0.2.1' })
    }
  })
})

describe('X-Forwarded-Proto and X-Forwarded-Host', () => {
  const forwarded = (proto: string, host: string, chain = '192.0.2.1') =>
    ask(trusted, inner, { 'x-forwarded-for': chain, 'x-forwarded-proto': proto, 'x-forwarded-host': host })

  it('of one proxy', () => {
    expect(forwarded('https', 'Registry.example:8443')).toEqual({
      address: '192.0.2.1',
      scheme: 'https',
      host: 'registry.example:8443',
    })
  })

  it('of the proxy that the client spoke to', () => {
    const chain = '203.0.113.7, 192.0.2.1, 10.1.1.1'
    expect(forwarded('http, https, http', 'evil.example, outer.example, inner', chain)).toEqual({
      address: '192.0.2.1',
      scheme: 'https',
      host: 'outer.example',
    })
    // The outer one set them, the inner one handed them on.
    expect(forwarded('https', 'outer.example', chain)).toMatchObject({ scheme: 'https', host: 'outer.example' })
  })

  it('without X-Forwarded-For', () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'outer.example' }
    expect(ask(trusted, inner, headers)).toEqual({ address: inner, scheme: 'https', host: 'outer.example' })
  })

  it.each(['localhost', 'a.example', 'a_b.example:1', '192.0.2.1:65535', '[2001:db8::1]', '[::1]:5000'])(
    'the host %s is one',
    (host) => {
      expect(forwarded('https', host)).toMatchObject({ host })
    },
  )

  it.each([
    '',
    'a.example/path',
    'user@a.example',
    'a.example:',
    'a.example:0',
    'a.example:65536',
    '[192.0.2.1]',
    '256.0.0.1',
    'a.example.1',
    'a.example:x',
    'a b',
    'a"b',
    'a\\b',
    'a?b',
    'a#b',
    'a%2fb',
    'ä.example',
    'https://a.example',
    '[::1',
    '[:::1]',
    '::1',
    'a'.repeat(300),
  ])('the host %j is none', (host) => {
    expect(forwarded('https', host)).toEqual({ address: '192.0.2.1', scheme: 'https' })
  })

  it.each(['', 'ftp', 'javascript', 'https:', 'ht\ttps'])('the scheme %j is none', (scheme) => {
    expect(forwarded(scheme, 'a.example')).toEqual({ address: '192.0.2.1', host: 'a.example' })
  })
})

describe('Forwarded', () => {
  it.each([
    ['one proxy', 'for=192.0.2.1;proto=https;host=a.example', { scheme: 'https', host: 'a.example' }],
    [
      'quotes',
      'For="192.0.2.1:4711"; Proto="HTTPS" ;Host="a.example:8443"',
      { scheme: 'https', host: 'a.example:8443' },
    ],
    [
      'two proxies',
      'for=203.0.113.7;host=evil.example, for=192.0.2.1;proto=https;host=a.example, for=10.1.1.1;proto=http;host=b',
      { scheme: 'https', host: 'a.example' },
    ],
    ['what is not known', 'for=192.0.2.1;secret=x;by=_proxy', {}],
    ['a host that is none', 'for=192.0.2.1;host="a.example/x"', {}],
  ])('%s', (_, value, rest) => {
    expect(ask(trusted, inner, { forwarded: value })).toEqual({ address: '192.0.2.1', ...rest })
  })

  it('IPv6 stands in brackets', () => {
    expect(ask(trusted, inner, { forwarded: 'for="[2001:db8:1::1]:80"' })).toEqual({ address: '2001:db8:1:0:0:0:0:1' })
  })

  it.each([
    ['unknown', 'for=unknown;proto=https', inner],
    ['a made-up name', 'for=_hidden', inner],
    ['no for', 'proto=https', inner],
    ['twice', 'for=192.0.2.1;for=192.0.2.2', inner],
    ['not a pair', '192.0.2.1', inner],
    ['empty', '', inner],
    ['an open quote of the client', 'for=", for=10.1.1.1', '10.1.1.1'],
    ['escapes', 'for="192.0.2\\.1"', inner],
    ['an unknown hop behind a proxy', 'for=192.0.2.1, for=unknown, for=10.1.1.1;proto=http', '10.1.1.1'],
  ])('%s ends the walk', (_, value, address) => {
    expect(ask(trusted, inner, { forwarded: value })).toMatchObject({ address })
  })

  it('beside X-Forwarded-For it must say the same', () => {
    const listed = { 'x-forwarded-for': '192.0.2.1, 10.1.1.1', 'x-forwarded-proto': 'https' }
    expect(ask(trusted, inner, { ...listed, forwarded: 'for=192.0.2.1, for=10.1.1.1' })).toEqual({
      address: '192.0.2.1',
      scheme: 'https',
    })
    // One of the two is the client's own word.
    for (const forwarded of ['for=203.0.113.7', 'for=unknown', 'x']) {
      expect(ask(trusted, inner, { ...listed, forwarded })).toEqual({ address: inner })
    }
  })
})

describe('the list of trusted proxies', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7', '10.0.0.8'],
    [' 10.0.0.7 ', '10.0.0.7', '10.0.0.8'],
    ['10.0.0.0/9', '10.127.0.1', '10.128.0.1'],
    ['10.0.0.5/8', '10.255.0.1', '11.0.0.1'],
    ['fd00::/8', 'fd12::1', 'fe00::1'],
    ['::1', '::1', '::2'],
    ['::ffff:10.0.0.0/104', '10.9.9.9', '11.0.0.1'],
    ['::ffff:10.0.0.7', '::ffff:10.0.0.7', '10.0.0.8'],
    ['0.0.0.0/0', '192.0.2.9', '2001:db8::1'],
  ])('%s has %s and not %s', (entry, inside, outside) => {
    const headers = { 'x-forwarded-proto': 'https' }
    expect(ask([entry], inside, headers).scheme).toBe('https')
    expect(ask([entry], outside, headers).scheme).toBeUndefined()
  })

  it.each([
    '',
    'loopback',
    'proxy.internal',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
    '10.0.0',
    'fe80::1%eth0',
    '::ffff:10.0.0.0/90',
    '*',
  ])('%j is refused by name', (entry) => {
    expect(() => createClientAddress({ trusted: ['10.0.0.1', entry] })).toThrow(JSON.stringify(entry))
  })
})
