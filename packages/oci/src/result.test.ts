import { expect, test } from 'vitest'
import { ParseError } from './result.ts'

test('the message of a parse error lists every problem with its path', () => {
  const error = new ParseError('manifest', [
    { path: 'layers[0].size', message: 'is missing' },
    { path: '', message: 'is bad' },
  ])
  expect(error.message).toBe('Invalid manifest:\n- layers[0].size: is missing\n- is bad')
  expect(error).toMatchObject({ name: 'ParseError', problems: [{ path: 'layers[0].size' }, { path: '' }] })
  expect(new ParseError('tag', [{ path: '', message: 'is empty' }]).message).toBe('Invalid tag: is empty')
})
