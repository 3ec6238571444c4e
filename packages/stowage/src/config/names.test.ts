import { expect, test } from 'vitest'
import {
  formatSubject,
  isNetwork,
  isRepositoryGlob,
  isTagGlob,
  isUserName,
  parseSubject,
  parseTagGlob,
} from './names.ts'

test.each(['user:ada', 'user:ada@example.com', 'group:dev/backend', 'anonymous', 'authenticated'])(
  '%s is a subject',
  (text) => {
    const subject = parseSubject(text)
    expect(subject === undefined ? undefined : formatSubject(subject)).toBe(text)
  },
)

test.each([
  'ada',
  'user:',
  'user:anonymous',
  'user:a b',
  'group:',
  'group:-x',
  'role:x',
  'Anonymous',
  'user:ada\n',
  '',
])('%j is none', (text) => {
  expect(parseSubject(text)).toBeUndefined()
})

test('names of users', () => {
  expect(['ada', 'A.b_c@d+e-f', '0', 'x'.repeat(128)].filter((name) => !isUserName(name))).toEqual([])
  expect(['', '-a', 'a/b', 'a:b', 'ä', 'ANONYMOUS', 'x'.repeat(129)].filter(isUserName)).toEqual([])
})

test('globs of repositories', () => {
  expect(['*', 'team/*', 'team', '*/app', 'a*b', 'team-*', '**'].filter((glob) => !isRepositoryGlob(glob))).toEqual([])
  expect(['', '/', 'Team/*', 'team/', '/*', 'a b', 'a:b', '?', 'x'.repeat(256)].filter(isRepositoryGlob)).toEqual([])
})

test('globs of tags', () => {
  expect(['*', 'v*', 'latest', '1.0-*_x'].filter((glob) => !isTagGlob(glob))).toEqual([])
  expect(['', '.x', 'a/b', 'a:b', 'x'.repeat(129)].filter(isTagGlob)).toEqual([])
  expect(parseTagGlob('team/*:v*')).toEqual({ repositories: 'team/*', tags: 'v*' })
  expect(['v*', ':v*', 'team:', 'a:b:c'].map(parseTagGlob)).toEqual([undefined, undefined, undefined, undefined])
})

test('addresses and networks', () => {
  expect(['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0'].filter((text) => !isNetwork(text))).toEqual([])
  expect(
    ['', '10.0.0', '10.0.0.0/33', '::/129', 'fe80::1%eth0', 'proxy', '10.0.0.0/', '1.2.3.4/8/8'].filter(isNetwork),
  ).toEqual([])
})
