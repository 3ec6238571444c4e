import { describe, expect, it } from 'vitest'
import { findNamed, fullName, isLayoutName, isSameName, tagOfName } from './layout-names.ts'

it.each([
  ['v1', 'v1'],
  ['_x', '_x'],
  ['app:v1', 'v1'],
  ['docker.io/library/app:v1', 'v1'],
  ['localhost:5000/app:v1', 'v1'],
  ['localhost:5000/app', undefined],
  ['a b', undefined],
  [`sha256:${'a'.repeat(64)}`, undefined],
])('the tag of %j is %j', (name, tag) => expect(tagOfName(name)).toBe(tag))

it.each([
  ['app:v1', 'docker.io/library/app:v1'],
  ['docker.io/library/app:v1', 'docker.io/library/app:v1'],
  ['ghcr.io/acme/app:v1', 'ghcr.io/acme/app:v1'],
  ['v1', undefined],
  ['acme/app', undefined],
  [`app:v1@sha256:${'a'.repeat(64)}`, undefined],
  [`sha256:${'a'.repeat(64)}`, undefined],
])('the full name of %j is %j', (name, full) => expect(fullName(name)).toBe(full))

it('takes for names what the specification lets be one, and nothing that could steer a terminal', () => {
  expect(['v1', '_x', 'docker.io/a/b:v1', 'a@b+c'].map(isLayoutName)).toEqual([true, true, true, true])
  expect(['', '-x', 'a b', '\u001B[2J', 'é', 'x'.repeat(513)].some(isLayoutName)).toBe(false)
})

it('knows two spellings of one name', () => {
  expect(isSameName('app:v1', 'docker.io/library/app:v1')).toBe(true)
  expect(isSameName('v1', 'app:v1')).toBe(false)
})

describe('what a text names', () => {
  const entries = [
    { names: ['v1'] },
    { names: ['latest', 'docker.io/library/one:latest'] },
    { names: ['latest', 'docker.io/library/two:latest'] },
    { names: ['docker.io/library/three:v1'] },
    { names: ['ghcr.io/acme/four:v4'] },
    { names: [] },
  ]
  const found = (text: string) => findNamed(entries, text).map((entry) => entries.indexOf(entry))

  it('is first of all what is called exactly so', () => expect(found('v1')).toEqual([0]))
  it('is what is called so by another spelling', () => expect(found('one:latest')).toEqual([1]))
  it('is what has it as the tag of a full name', () => expect(found('v4')).toEqual([4]))
  it('may be several', () => expect(found('latest')).toEqual([1, 2]))
  it('is never what has another repository', () => expect(found('five:v4')).toEqual([]))
  it('is nothing for an empty text', () => expect(found('')).toEqual([]))
})
