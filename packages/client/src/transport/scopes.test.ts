import { describe, expect, it, test } from 'vitest'
import { catalogScope, deleteScope, mergeScopes, pullScope, pushScope } from './scopes.ts'

describe('merged scopes', () => {
  test.each<[string[], string | undefined, string[]]>([
    [[], undefined, []],
    [['repository:a:pull'], undefined, ['repository:a:pull']],
    [['repository:a:pull'], 'repository:a:pull', ['repository:a:pull']],
    [['repository:a:pull'], 'repository:a:push,pull', ['repository:a:pull,push']],
    [
      ['repository:b:pull', 'repository:a:push'],
      'repository:c:*',
      ['repository:a:push', 'repository:b:pull', 'repository:c:*'],
    ],
    [['repository:a:pull', 'repository:a:push'], undefined, ['repository:a:pull,push']],
    // A name may have a port in it.
    [['repository:localhost:5000/a:pull'], undefined, ['repository:localhost:5000/a:pull']],
    [[], ' repository:a:pull  registry:catalog:* ', ['registry:catalog:*', 'repository:a:pull']],
    [[], 'nonsense :x repository:a:pull', ['repository:a:pull']],
    [[], '', []],
  ])('%j and %j', (needed, asked, expected) => {
    expect(mergeScopes(needed, asked)).toEqual(expected)
  })

  it('is the same for the same need, in whatever order', () => {
    const one = mergeScopes([pushScope('a'), pullScope('b')], 'repository:b:push,pull repository:a:delete')
    const other = mergeScopes([pullScope('b'), deleteScope('a')], 'repository:b:push')
    expect(one).toEqual(other)
  })
})

it('asks for what the registry wants', () => {
  expect([pullScope('a/b'), pushScope('a'), deleteScope('a'), catalogScope]).toEqual([
    'repository:a/b:pull',
    'repository:a:pull,push',
    'repository:a:delete,pull,push',
    'registry:catalog:*',
  ])
})
