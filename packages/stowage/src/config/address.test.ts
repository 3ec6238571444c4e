import { expect, test } from 'vitest'
import { formatAddress, isLoopback, parseAddress } from './address.ts'

test.each([
  ['5000', '127.0.0.1', 5000],
  ['0', '127.0.0.1', 0],
  [':5000', '', 5000],
  ['127.0.0.1:8000', '127.0.0.1', 8000],
  ['localhost:8000', 'localhost', 8000],
  ['localhost', 'localhost', 5000],
  ['[::1]:5000', '::1', 5000],
  ['[::1]', '::1', 5000],
  ['::1', '::1', 5000],
  ['0.0.0.0', '0.0.0.0', 5000],
  ['registry.example:443', 'registry.example', 443],
])('%s is host %j, port %d', (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port })
})

test.each([
  '',
  ':',
  '65536',
  '127.0.0.1:65536',
  '127.0.0.1:',
  '127.0.0.1:x',
  '127.0.0:5000',
  '256.0.0.1',
  '[::1',
  '[127.0.0.1]:5000',
  'http://127.0.0.1:5000',
  'a b:5000',
  '-x:5000',
  '1:2:3',
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('%s is loopback', (ip) => {
  expect(isLoopback(ip)).toBe(true)
})

test.each(['0.0.0.0', '10.0.0.1', '::', '::2', '::ffff:10.0.0.1', '128.0.0.1', '127.example'])('%s is not', (ip) => {
  expect(isLoopback(ip)).toBe(false)
})

test('an IPv6 address is bracketed', () => {
  expect(formatAddress({ host: '::1', port: 5000 })).toBe('[::1]:5000')
  expect(formatAddress({ host: 'localhost', port: 80 })).toBe('localhost:80')
})
