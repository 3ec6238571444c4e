import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig, readConfigFile } from './file.ts'

const read = (text: string): unknown =>
  Object.fromEntries(parseConfig(text, 'stowage.yaml').map(({ key, value }) => [key, value]))

const problemsOf = (text: string): string[] => {
  try {
    parseConfig(text, 'stowage.yaml')
  } catch (error) {
    if (error instanceof Error && 'problems' in error) {
      return (error.problems as { where: string; message: string }[]).map(({ where, message }) => `${where} ${message}`)
    }
    throw error
  }
  return []
}

test('reads every kind of value, as its type or as text', () => {
  expect(
    read(`
address: 5000
data: ./here
publicUrl: https://registry.example/
allowAnonymous: yes
uploads: { expireAfter: 600, maxBlobSize: 10GiB }
manifests:
  maxSize: "4194304"
  allowMissingBlobs: true
cors:
  origins: [https://app.example, 'http://localhost:3000']
log: { level: warn }
limits:
`),
  ).toEqual({
    address: '5000',
    data: './here',
    publicUrl: 'https://registry.example',
    allowAnonymous: true,
    'uploads.expireAfter': 600,
    'uploads.maxBlobSize': 10 * 2 ** 30,
    'manifests.maxSize': 4 * 2 ** 20,
    'manifests.allowMissingBlobs': true,
    'cors.origins': ['https://app.example', 'http://localhost:3000'],
    'log.level': 'warn',
  })
})

test.each(['', '# nothing\n', '---\n'])('%j sets nothing', (text) => {
  expect(read(text)).toEqual({})
})

test('knows the line of each value', () => {
  const lines = parseConfig('# first\ndata: a\n\nuploads:\n  expireAfter: 5m\n', 'x').map(({ key, line }) => [
    key,
    line,
  ])
  expect(lines).toEqual([
    ['data', 2],
    ['uploads.expireAfter', 5],
  ])
})

test('lists every problem, in order, with its line and column', () => {
  expect(
    problemsOf(`adress: 5000
data: 7
uploads:
  expireAfer: 10m
  maxBlobSize: big
publicUrl: https://user:hunter2@registry.example
limits:
  keepAlive: 0.5
  maxSize: 3
cors: yes
manifests.maxSize: 1
log:
  level: loud
`),
  ).toEqual([
    'stowage.yaml:1:1 adress is not a setting; did you mean address?',
    'stowage.yaml:2:1 data must be the path of a file or directory, not 7',
    'stowage.yaml:4:3 uploads.expireAfer is not a setting; did you mean uploads.expireAfter?',
    'stowage.yaml:5:3 uploads.maxBlobSize must be a size such as 4096, 512KiB or 10GiB (a bare number is bytes), of 1 or more, not "big"',
    'stowage.yaml:6:1 publicUrl must be an http or https URL without credentials, query or fragment',
    'stowage.yaml:8:3 limits.keepAlive must be a duration such as 250ms, 30s, 10m, 2h or 7d (a bare number is seconds), of 1s or more, not 0.5',
    'stowage.yaml:9:3 limits.maxSize is not a setting; did you mean manifests.maxSize?',
    'stowage.yaml:10:1 cors must be a section of settings',
    'stowage.yaml:11:1 manifests.maxSize is not a setting; write it as a section: manifests: { maxSize: … }',
    'stowage.yaml:13:3 log.level must be debug, info, warn, error, silent, not "loud"',
  ])
})

test('knows the line of what is wrong within a list', () => {
  expect(
    problemsOf(`access:
  rules:
    - subject: user:ada
      repositories: team/*
      actions: [pull]
    - subject: ada
      repositories: Team
      actions: [pull, write]
      tag: x
  issuers:
    - name: ci
      issuer: http://ci.example
      audience: registry.example
      conditions: {}
      permissions: []
policies:
  immutableTags: [v*, 'team/*:v*']
`),
  ).toEqual([
    'stowage.yaml:6:7 access.rules[1].subject must be user:NAME, group:NAME, authenticated or anonymous, not "ada"',
    'stowage.yaml:7:7 access.rules[1].repositories must be a repository or a glob such as team/* or *, not "Team"',
    'stowage.yaml:8:7 access.rules[1].actions must be one or more of pull, push, overwrite, delete, administer, not ["pull","write"]',
    'stowage.yaml:9:7 access.rules[1] has no key "tag"; there are subject, repositories, actions',
    'stowage.yaml:12:7 access.issuers[0].issuer must be an https URL without a query, not "http://ci.example"',
    expect.stringMatching(/^stowage\.yaml:14:7 access\.issuers\[0\]\.conditions must be claims /),
    'stowage.yaml:15:7 access.issuers[0].permissions must have at least one item',
    'stowage.yaml:17:19 policies.immutableTags[0] must be repositories:tags, both globs, as in team/*:v*, not "v*"',
  ])
})

test('a password in a URL is not repeated', () => {
  expect(problemsOf('publicUrl: https://user:hunter2@registry.example').join()).not.toContain('hunter2')
})

test.each([
  ['data: a\ndata: b\n', ['stowage.yaml:2:1 this key is there already']],
  ['data: *where\n', ['stowage.yaml:1:7 there is no anchor &where before this alias']],
  ['- a\n', ['stowage.yaml:1:1 The configuration must be settings, one to a line, as in `data: ./data`']],
  [
    '__proto__: {}\n',
    [expect.stringMatching(/^stowage\.yaml:1:1 __proto__ is not a setting; there are address, data/)],
  ],
  ['data:\n', ['stowage.yaml:1:1 data must be the path of a file or directory, not null']],
  ['"a\\u001b[2Jb": 1\n', [expect.stringMatching(/^stowage\.yaml:1:1 a\\u001b\[2Jb is not a setting/)]],
])('%j is refused where it is wrong', (text, problems) => {
  expect(problemsOf(text)).toEqual(problems)
})

test('broken YAML is refused with its line', () => {
  expect(problemsOf('data: a\nuploads: {\n  x: [\n')[0]).toMatch(/^stowage\.yaml:\d+:\d+ /)
  expect(problemsOf('a: 1\n---\nb: 2\n')[0]).toMatch(/^stowage\.yaml:2:1 .*multiple documents/)
  expect(problemsOf('data: !secret x\n')[0]).toMatch(/^stowage\.yaml:1:7 .*tag/i)
})

test('aliases that multiply are refused, quickly', () => {
  const text = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefghij'.split('').map((name, index) => {
      const before = 'abcdefghij'[index] ?? 'a'
      return `${name}: &${name} [${Array(10).fill(`*${before}`).join(',')}]`
    }),
  ].join('\n')
  expect(problemsOf(text)).toEqual([expect.stringMatching(/^stowage\.yaml Excessive alias count/)])
})

test('a file that cannot be read says why', () => {
  const directory = mkdtempSync(join(tmpdir(), 'stowage-config-'))
  expect(() => readConfigFile(join(directory, 'none.yaml'))).toThrow(/none\.yaml cannot be read: it does not exist/)
  expect(() => readConfigFile(directory)).toThrow(/cannot be read: it is a directory/)
  writeFileSync(join(directory, 'large.yaml'), ' '.repeat(1024 * 1024 + 1))
  expect(() => readConfigFile(join(directory, 'large.yaml'))).toThrow(/larger than 1 MiB/)
})
