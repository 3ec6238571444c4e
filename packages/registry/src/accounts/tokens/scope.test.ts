import { isRepositoryName } from '@stowage/oci'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PermissionAction, permissionActions, permits } from '../../access/permission.ts'
import { RegistryError } from '../../errors.ts'
import { formatScopes, intersect, parseAccess, parseScopes, toPermissions } from './scope.ts'

const all = (): boolean => true

describe('parsing', () => {
  it.each([
    ['repository:a/b:pull', 'repository', 'a/b', ['pull']],
    ['repository:a/b:pull,push', 'repository', 'a/b', ['pull', 'push']],
    ['repository:host:5000/a/b:pull,push', 'repository', 'host:5000/a/b', ['pull', 'push']],
    ['repository(plugin):host:5000/a/b:pull', 'repository', 'host:5000/a/b', ['pull']],
    ['registry:catalog:*', 'registry', 'catalog', ['*']],
    ['repository:a:', 'repository', 'a', ['']],
    ['::', '', '', ['']],
  ])('%s', (text, type, name, actions) => expect(parseScopes([text])).toEqual([{ type, name, actions }]))

  it.each(['', ' ', 'repository', 'repository:a', 'pull'])('%j is no scope', (text) =>
    expect(parseScopes([text])).toEqual([]),
  )

  it('takes any number of texts with any number of scopes in each', () => {
    const texts = ['repository:a:pull  repository:b:push', '', 'repository:c:delete ', 'nonsense']
    expect(parseScopes(texts).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(parseScopes([])).toEqual([])
  })

  it.each([
    ['scopes', Array.from({ length: 101 }, (_, index) => `repository:r${index}:pull`)],
    ['scopes in one text', [Array.from({ length: 101 }, (_, index) => `repository:r${index}:pull`).join(' ')]],
    ['texts that are no scopes', Array.from({ length: 101 }, () => 'x')],
    ['characters', [`repository:${'a'.repeat(4096)}:pull`]],
    ['spaces', [' '.repeat(4097)]],
  ])('refuses too many %s', (_, texts) => {
    expect(() => parseScopes(texts)).toThrow(RegistryError)
    expect(() => parseScopes(texts)).toThrow('Ask for fewer')
  })

  it('takes a hundred', () => {
    expect(parseScopes(Array.from({ length: 100 }, (_, index) => `repository:r${index}:pull`))).toHaveLength(100)
  })
})

describe('what is granted', () => {
  it('is what was asked for and is allowed, and nothing else', () => {
    const allowed = (action: PermissionAction, repository: string): boolean => repository === 'a' && action === 'pull'
    expect(intersect(parseScopes(['repository:a:pull,push repository:b:pull']), allowed)).toEqual([
      { type: 'repository', name: 'a', actions: ['pull'] },
    ])
  })

  it('has each repository once', () => {
    const requested = parseScopes(['repository:a:push', 'repository:b:pull', 'repository(plugin):a:pull,push'])
    expect(formatScopes(intersect(requested, all))).toBe('repository:a:pull,push repository:b:pull')
  })

  it('is all there is for `*`, and `*` itself only for who may administer', () => {
    const requested = parseScopes(['repository:a:*'])
    expect(formatScopes(intersect(requested, all))).toBe('repository:a:pull,push,delete,*')
    const mayWrite = (action: PermissionAction): boolean => action !== 'administer' && action !== 'delete'
    expect(formatScopes(intersect(requested, mayWrite))).toBe('repository:a:pull,push')
    expect(intersect(requested, () => false)).toEqual([])
  })

  it.each([
    'repository:*:pull',
    'repository:a/*:pull',
    'repository:A:pull',
    'repository:host:5000/a:pull',
    'repository:../a:pull',
    'repository::pull',
    'repository:a:PULL',
    'repository:a:pull\u0000',
    'repository:a:overwrite,administer',
    'repository:a:constructor,__proto__,toString',
    'Repository:a:pull',
    'repositories:a:pull',
    'registry:api:ping',
    'registry:catalog:pull',
    '(plugin):a:pull',
  ])('is nothing for %s', (scope) => {
    const requested = parseScopes([scope])
    expect(intersect(requested, all)).toEqual([])
    expect(toPermissions(requested)).toEqual({ permissions: [], catalog: false })
  })

  it('is the list of repositories for whoever asks: it shows what its reader may pull', () => {
    const access = intersect(parseScopes(['registry:catalog:*']), () => false)
    expect(access).toEqual([{ type: 'registry', name: 'catalog', actions: ['*'] }])
    expect(toPermissions(access)).toEqual({ permissions: [], catalog: true })
  })
})

it('a scope allows what its actions mean', () => {
  const { permissions, catalog } = toPermissions(
    parseScopes(['repository:a:pull repository:b:push repository:c:delete repository:d:* repository:e:delete,pull']),
  )
  expect(permissions).toEqual([
    { repositories: 'a', actions: ['pull'] },
    { repositories: 'b', actions: ['push', 'overwrite'] },
    { repositories: 'c', actions: ['delete'] },
    { repositories: 'd', actions: [...permissionActions] },
    { repositories: 'e', actions: ['pull', 'delete'] },
  ])
  expect(catalog).toBe(false)
})

it('members of an `access` claim that are not as they should be are left out', () => {
  const good = { type: 'repository', name: 'a', actions: ['pull', 5, null, 'push'] }
  const odd = [null, 5, 'x', [], {}, { ...good, name: 5 }, { ...good, actions: 'pull' }, { ...good, type: undefined }]
  expect(parseAccess([...odd, good])).toEqual([{ type: 'repository', name: 'a', actions: ['pull', 'push'] }])
  for (const claim of [undefined, null, 'x', {}, { 0: good, length: 1 }]) expect(parseAccess(claim)).toEqual([])
  expect(parseAccess(Array.from({ length: 5000 }, () => good))).toHaveLength(100)
})

describe('10,000 random scope strings', () => {
  const names = ['a', 'b/c', 'team/app', '*', 'a/*', 'A', 'h:5/a', '', 'a:b', '..', 'b/c/', 'catalog', 'a b']
  const types = ['repository', 'repository(plugin)', 'registry', 'Repository', 'repository(', '', 'x', '(x)']
  const actions = ['pull', 'push', 'delete', '*', 'overwrite', 'administer', '', 'PULL', 'pull ', '__proto__']
  const scope = fc
    .tuple(
      fc.oneof(fc.constant('repository'), fc.constantFrom(...types)),
      fc.oneof(fc.constantFrom('a', 'b/c', 'team/app'), fc.constantFrom(...names), fc.string({ maxLength: 8 })),
      fc.array(fc.oneof(fc.constantFrom('pull', 'push', 'delete', '*'), fc.constantFrom(...actions)), { maxLength: 4 }),
    )
    .map(([type, name, list]) => `${type}:${name}:${list.join(',')}`)
  const text = fc.array(fc.oneof({ weight: 4, arbitrary: scope }, fc.string({ maxLength: 20 })), { maxLength: 5 })
  const rules = fc.array(fc.tuple(fc.constantFrom('a', 'b/c', 'team/app'), fc.constantFrom(...permissionActions)))

  /** By a regular expression and sets: what may be done on `repository` by a token that was got with these texts. */
  const model = (texts: string[], may: (action: PermissionAction, name: string) => boolean, name: string): string[] => {
    const wanted = new Set<string>()
    for (const part of texts.join(' ').split(' ')) {
      const match = /^repository(?:\(.*\))?:([^]*):([^:]*)$/.exec(part)
      if (match?.[1] === name) for (const action of (match[2] ?? '').split(',')) wanted.add(action)
    }
    const has = (action: string): boolean => wanted.has(action) || wanted.has('*')
    const can = new Set<string>()
    if (has('pull') && may('pull', name)) can.add('pull')
    if (has('push') && may('push', name)) can.add('push').add('overwrite')
    if (has('delete') && may('delete', name)) can.add('delete')
    if (wanted.has('*') && may('administer', name)) for (const action of permissionActions) can.add(action)
    return [...can].toSorted()
  }

  it('grant what a simple model says, on names and never on globs', () => {
    let granted = 0
    fc.assert(
      fc.property(text, rules, (texts, allowed) => {
        const may = (action: PermissionAction, name: string): boolean =>
          allowed.some(([repository, one]) => repository === name && (one === action || one === 'administer'))
        const { permissions } = toPermissions(intersect(parseScopes(texts), may))
        for (const name of ['a', 'b/c', 'team/app', 'a/x', 'other']) {
          const can = permissionActions.filter((action) => permissions.some((each) => permits(each, action, name)))
          expect([...can].toSorted()).toEqual(model(texts, may, name))
          granted += can.length
        }
        expect(permissions.every(({ repositories }) => isRepositoryName(repositories))).toBe(true)
      }),
      { numRuns: 10_000 },
    )
    expect(granted).toBeGreaterThan(1000)
  })
})
