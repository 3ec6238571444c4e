import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ClientError } from '../errors.ts'
import { covers, dockerSpelling, keyOf, parseKey, readKey, shownKey } from './registry-key.ts'

describe('a key of a file stands for', () => {
  test.each([
    ['registry.example', 'registry.example', ''],
    ['registry.example:5000', 'registry.example:5000', ''],
    ['Registry.Example', 'registry.example', ''],
    ['registry.example/', 'registry.example', ''],
    ['http://registry.example', 'registry.example', ''],
    ['HTTPS://registry.example/', 'registry.example', ''],
    ['https://registry.example:443', 'registry.example:443', ''],
    ['https://registry.example/v1/', 'registry.example', ''],
    ['https://registry.example/v2', 'registry.example', ''],
    ['registry.example/v1/', 'registry.example', ''],
    ['registry.example/v1', 'registry.example', 'v1'],
    ['registry.example/team', 'registry.example', 'team'],
    ['registry.example/team/app/', 'registry.example', 'team/app'],
    ['https://registry.example/team', 'registry.example', 'team'],
    ['[::1]:5000', '[::1]:5000', ''],
    ['localhost', 'localhost', ''],
    ['https://index.docker.io/v1/', 'docker.io', ''],
    ['index.docker.io/v1/', 'docker.io', ''],
    ['index.docker.io', 'docker.io', ''],
    ['registry-1.docker.io', 'docker.io', ''],
    ['https://registry-1.docker.io/v2/', 'docker.io', ''],
    ['docker.io/team', 'docker.io', 'team'],
    ['index.docker.io:443', 'index.docker.io:443', ''],
    ['hub.docker.io', 'hub.docker.io', ''],
    // Tokens of Docker's own login, which no registry may see.
    ['https://index.docker.io/v1/refresh-token', 'docker.io', 'v1/refresh-token'],
  ])('%s', (text, registry, path) => {
    expect(readKey(text)).toEqual({ registry, path })
  })
})

describe('what is no registry is refused', () => {
  test.each([
    '',
    '/',
    ' registry.example',
    'registry.example\nother.example',
    'user:password@registry.example',
    'registry.example:',
    'registry.example:123456',
    'registry.example:5000x',
    '*.example',
    '-a.example',
    'ftp://registry.example',
    'https://',
    'registry.example/Team',
    'registry.example/../other',
    'registry.example/team/../other',
    'registry.example/team?x',
    'registry.example//team',
  ])('%j', (text) => {
    expect(() => parseKey(text)).toThrow(ClientError)
    expect(shownKey(text)).toBeUndefined()
  })

  it('without repeating what it was', () => {
    expect(() => parseKey('user:hunter2@registry.example', 'STOWAGE_REGISTRY')).toThrow(
      'STOWAGE_REGISTRY is not a host with an optional port.',
    )
  })
})

it('spells keys as Docker does', () => {
  expect(dockerSpelling(parseKey('index.docker.io'))).toBe('https://index.docker.io/v1/')
  expect(dockerSpelling(parseKey('docker.io/team'))).toBe('docker.io/team')
  expect(dockerSpelling(parseKey('https://registry.example:5000/v2/'))).toBe('registry.example:5000')
})

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const host = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.option(fc.integer({ min: 1, max: 65_535 })))
  .map(([labels, port]) => labels.join('.') + (port === null ? '' : `:${port}`))
const path = fc.array(label, { maxLength: 4 }).map((parts) => parts.join('/'))

describe('any key', () => {
  it('covers what is written like it, in whatever spelling', () => {
    const spelled = fc.tuple(host, fc.constantFrom('', '/', '/v1/', '/v2/'), fc.constantFrom('', 'http://', 'https://'))
    fc.assert(
      fc.property(spelled, path, ([registry, end, scheme], repository) => {
        const key = readKey(scheme + registry.toUpperCase() + end)
        expect(covers(key, keyOf({ registry, repository }))).toBe(true)
      }),
    )
  })

  it('covers no other host, however alike it looks', () => {
    const change = fc.constantFrom(
      (text: string, more: string) => `${text}.${more}`,
      (text: string, more: string) => `${more}.${text}`,
      (text: string, more: string) => text + more,
      (text: string, more: string) => more + text,
      (text: string, more: string) => `${more}-${text}`,
      (text: string) => `${text}:5000`,
      (text: string) => text.slice(0, -1),
      (text: string) => text.slice(1),
    )
    fc.assert(
      fc.property(host, change, label, (registry, alter, more) => {
        const other = alter(registry, more)
        fc.pre(other !== registry)
        for (const scheme of ['', 'https://']) {
          for (const end of ['', '/v1/', `/${more}`, `/${registry}`, `@${registry}`, `#${registry}`]) {
            expect(covers(readKey(scheme + other + end), { registry, path: '' })).toBe(false)
          }
        }
      }),
    )
  })

  it('of a namespace covers what is in it, and nothing beside or above it', () => {
    fc.assert(
      fc.property(host, path, path, (registry, namespace, repository) => {
        const inside = namespace.split('/').every((part, index) => part === repository.split('/')[index])
        const key = readKey(`${registry}/${namespace}`)
        expect(covers(key, { registry, path: repository })).toBe(namespace === '' || inside)
        expect(covers(key, { registry, path: `${namespace}/${repository}` })).toBe(true)
        if (namespace !== '') expect(covers(key, { registry, path: `${namespace}x` })).toBe(false)
      }),
    )
  })

  it('that is not a name covers nothing that a caller can ask for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), host, path, (text, registry, repository) => {
        const wanted = keyOf({ registry, repository })
        if (covers(readKey(text), wanted)) expect(shownKey(text)).toBeDefined()
      }),
    )
  })
})
