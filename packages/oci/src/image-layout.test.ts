import { expect, test } from 'vitest'
import { imageLayout, parseImageLayout } from './image-layout.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('the file oci-layout says its version', () => {
  expect(parseImageLayout(bytes('{"imageLayoutVersion":"1.0.0"}\n'))).toEqual({
    imageLayoutVersion: imageLayout.version,
  })
})

test.each([
  ['{}', 'imageLayoutVersion: is missing'],
  ['{"imageLayoutVersion":"2.0.0"}', 'imageLayoutVersion: must be "1.0.0", got "2.0.0"'],
  ['{"imageLayoutVersion":1}', 'imageLayoutVersion: must be a string'],
  ['{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}', 'appears more than once'],
  ['[]', 'must be an object'],
  ['', 'is empty'],
])('%j is none', (text, message) => {
  expect(() => parseImageLayout(bytes(text))).toThrow(message)
})
