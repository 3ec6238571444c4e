import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { editMember } from './json-edit.ts'

describe('a member is set', () => {
  test.each([
    ['{}', '{\n\t"auths": {\n\t\t"a": {\n\t\t\t"auth": "x"\n\t\t}\n\t}\n}'],
    ['{}\n', '{\n\t"auths": {\n\t\t"a": {\n\t\t\t"auth": "x"\n\t\t}\n\t}\n}\n'],
    ['{"auths":{}}', '{"auths":{"a":{"auth":"x"}}}'],
    ['{"b": 1, "auths": {"z": {}}}', '{"b": 1, "auths": {"z": {},"a":{"auth":"x"}}}'],
    [
      '{\n  "auths": {\n  },\n  "b": 1.0\n}',
      '{\n  "auths": {\n    "a": {\n      "auth": "x"\n    }\n  },\n  "b": 1.0\n}',
    ],
    ['{\r\n "b": 1\r\n}', '{\r\n "b": 1,\r\n "auths": {\r\n  "a": {\r\n   "auth": "x"\r\n  }\r\n }\r\n}'],
    ['{"auths": null}', '{"auths": {"a":{"auth":"x"}}}'],
    [
      '{"auths": {"a": 1}, "auths": {"a": 2, "\\u0061": 3}}',
      '{"auths": {"a": 1}, "auths": {"a": 2, "\\u0061": {"auth":"x"}}}',
    ],
  ])('%j', (before, after) => {
    expect(editMember(before, 'auths', 'a', { auth: 'x' })).toBe(after)
  })
})

describe('a member is removed', () => {
  test.each([
    ['{}', '{}'],
    ['{"auths": null}', '{"auths": null}'],
    ['{"auths": {"b": 1}, "a": 1}', '{"auths": {"b": 1}, "a": 1}'],
    ['{"auths": { "a": {"x": "}"} }}', '{"auths": {}}'],
    ['{"auths": {"a": 1, "b": 2}}', '{"auths": {"b": 2}}'],
    ['{"auths": {"b": 2, "a": 1}}', '{"auths": {"b": 2}}'],
    ['{"auths": {"b": 2, "a": 1, "c": "a"}}', '{"auths": {"b": 2, "c": "a"}}'],
    ['{"auths": {"a": 1, "b": 2, "\\u0061": 1, "a": 0}}', '{"auths": {"b": 2}}'],
  ])('%j', (before, after) => {
    expect(editMember(before, 'auths', 'a', undefined)).toBe(after)
  })
})

const json = fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as unknown)
const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a', '1', '__proto__', '}"{', '\\', 'auths'))
const entries = fc.array(fc.tuple(key, json), { maxLength: 6 })
const space = fc.constantFrom(undefined, 1, 2, '\t')

describe('whatever the file', () => {
  it('the result is JSON that differs in the one member', () => {
    fc.assert(
      fc.property(
        entries,
        entries,
        key,
        fc.option(json, { nil: undefined }),
        space,
        (outer, inner, name, value, indent) => {
          const document = Object.fromEntries(outer)
          document['auths'] = Object.fromEntries(inner)
          const text = JSON.stringify(document, undefined, indent)
          const expected = JSON.parse(text) as { auths: object }
          const auths = Object.entries(expected.auths).filter(([other]) => other !== name || value !== undefined)
          const changed = value === undefined ? auths : [...auths, [name, value] as const]
          // Object.fromEntries makes an own member even of `__proto__`.
          const wanted = { ...expected, auths: Object.fromEntries(changed) }
          const edited = editMember(text, 'auths', name, value)
          expect(JSON.parse(edited)).toEqual(wanted)
          // Removing what was set gives back every byte of a file that did not have it.
          if (!Object.hasOwn(expected.auths, name)) {
            const again = editMember(edited, 'auths', name, undefined)
            expect(again.replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''))
            if (inner.length > 0) expect(again).toBe(text)
          }
        },
      ),
    )
  })
})
