import { describe, expect, it } from 'vitest'
import { AccountError } from './account-error.ts'
import {
  checkActions,
  checkGroups,
  checkLabel,
  checkLife,
  checkPassword,
  checkPermissions,
  checkRepositories,
  checkSubject,
  checkUserName,
} from './checks.ts'

const fieldOf = (work: () => unknown): string | undefined => {
  try {
    work()
  } catch (error) {
    if (error instanceof AccountError && error.code === 'invalid') return error.field
    throw error
  }
  return 'nothing was wrong'
}

describe('checks of what is to be written', () => {
  it('takes names that are safe in headers, logs and files', () => {
    for (const name of ['a', 'Ada', 'ada@example.com', 'ci-1_x.y+z', '0']) expect(checkUserName(name)).toBe(name)
    const wrong = [
      '',
      'a:b',
      '-a',
      '.a',
      'a b',
      'a\n',
      'ä',
      'anonymous',
      'Anonymous',
      'a'.repeat(129),
      7,
      null,
      undefined,
    ]
    for (const name of wrong) expect(fieldOf(() => checkUserName(name))).toBe('name')
  })

  it('takes passwords that Basic can carry, and says nothing of those it does not take', () => {
    expect(checkPassword('pässwörd')).toBe('pässwörd')
    for (const password of ['', '1234567', 'with\nline', 'x'.repeat(1025), 'ä'.repeat(600), undefined]) {
      expect(fieldOf(() => checkPassword(password))).toBe('password')
    }
    expect(() => checkPassword('hunter')).not.toThrow(/hunter/)
  })

  it('takes globs that can match a name, and no others', () => {
    for (const glob of ['*', 'a', 'team/*', '*/web', 'team-*', 'a/*/b', 'a*'])
      expect(checkRepositories(glob, 'x')).toBe(glob)
    expect(checkRepositories('team/**', 'x')).toBe('team/*')
    const wrong = ['', 'Team/*', '/a', 'a//b', 'a/', 'team/ *', 'a?', '../*', 'a'.repeat(256), 7, undefined]
    for (const glob of wrong) expect(fieldOf(() => checkRepositories(glob, 'x'))).toBe('x')
  })

  it('names the place in a list', () => {
    expect(
      fieldOf(() => checkPermissions([{ repositories: 'a', actions: ['pull'] }, { repositories: 'a' }], 'p')),
    ).toBe('p[1].actions')
    expect(fieldOf(() => checkPermissions([], 'p'))).toBe('p')
    expect(fieldOf(() => checkPermissions(undefined, 'p'))).toBe('p')
    expect(fieldOf(() => checkPermissions([null], 'p'))).toBe('p[0].repositories')
    expect(fieldOf(() => checkGroups(['a', 'b b']))).toBe('groups[1]')
  })

  it('orders what has no order, so that equal things are equal', () => {
    expect(checkActions(['push', 'pull', 'push'], 'x')).toEqual(['pull', 'push'])
    expect(checkGroups(['b', 'a', 'b'])).toEqual(['a', 'b'])
    expect(fieldOf(() => checkActions(['pull', 'toString'], 'x'))).toBe('x')
  })

  it('takes four kinds of subject', () => {
    expect(checkSubject({ kind: 'anonymous', name: 'ignored' })).toEqual({ kind: 'anonymous' })
    expect(checkSubject({ kind: 'group', name: 'org/dev' })).toEqual({ kind: 'group', name: 'org/dev' })
    for (const subject of [
      undefined,
      'user:ada',
      { kind: 'user' },
      { kind: 'token', name: 'a' },
      { kind: '__proto__' },
    ]) {
      expect(fieldOf(() => checkSubject(subject))).toBe('subject')
    }
  })

  it('bounds labels and lives', () => {
    expect(checkLabel(' ci ')).toBe('ci')
    for (const label of ['', ' ', 'a\u0007', 'x'.repeat(101), 1]) expect(fieldOf(() => checkLabel(label))).toBe('label')
    for (const life of [0, 59, 1.5, Infinity, 1e12, '60']) expect(fieldOf(() => checkLife(life))).toBe('expiresIn')
    expect(checkLife(60)).toBe(60)
  })
})
