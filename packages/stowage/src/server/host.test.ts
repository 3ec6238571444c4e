import { expect, test } from 'vitest'
import { registryHost } from './host.ts'

test.each(['registry.example', 'registry.example:5000', '127.0.0.1:5000', '[::1]:5000', 'localhost'])(
  '%s is repeated',
  (host) => {
    expect(registryHost(undefined, host, 'here:1')).toBe(host)
  },
)

test.each([
  undefined,
  '',
  'a b',
  'a/b',
  '<script>',
  'a"b',
  "a'b",
  'a:b',
  'a:123456',
  'user@host',
  '-a',
  'a-',
  'a'.repeat(300),
  'a\r\nb',
  'é.example',
  '$(reboot)',
  '`reboot`',
  'a;b',
])('%j is no host and is not', (header) => {
  expect(registryHost(undefined, header, 'here:1')).toBe('here:1')
})

test('the public URL goes first', () => {
  expect(registryHost('https://registry.example/base', 'other', 'here:1')).toBe('registry.example')
})
