import { describe, expect, test } from 'vitest'
import { StowageError } from '../failure.ts'
import { parseTemplate } from './template.ts'

const value = { digest: 'sha256:ab', size: 3, Config: { Env: ['A=1', 'B=2'], none: null }, tags: ['v1', 'v2'] }

describe('templates', () => {
  test.each([
    ['{{.digest}}', 'sha256:ab'],
    ['{{.Digest}}', 'sha256:ab'],
    ['{{ .Size }} bytes', '3 bytes'],
    ['{{.Config.Env}}', '[A=1 B=2]'],
    ['{{.Config.none}}', ''],
    ['{{json .Config.Env}}', '["A=1","B=2"]'],
    ['{{json .}}', JSON.stringify(value)],
    ['{{len .Tags}}', '2'],
    ['{{range .Tags}}{{.}};{{end}}', 'v1;v2;'],
    [String.raw`{{range .Tags}}{{.}}{{"\n"}}{{end}}`, 'v1\nv2\n'],
    [String.raw`{{.Digest}}\t{{.Size}}`, 'sha256:ab\t3'],
    ['{{- .Digest -}}', 'sha256:ab'],
    ['no field', 'no field'],
  ])('%s', (template, expected) => {
    expect(parseTemplate(template)(value)).toBe(expected)
  })

  test.each([
    ['{{.Digest', /without \}\}/],
    ['{{end}}', /\{\{end\}\} without/],
    ['{{range .Tags}}x', /without \{\{end\}\}/],
    ['{{if .X}}', /there are \{\{\.Field\}\}/],
    ['{{.a b}}', /\.a b/],
    ['{{."}}', /no field/],
  ])('%s is refused before anything is done', (template, reason) => {
    expect(() => parseTemplate(template)).toThrow(StowageError)
    expect(() => parseTemplate(template)).toThrow(reason)
  })

  test('a field that is not there names those that are', () => {
    expect(() => parseTemplate('{{.Digset}}')(value)).toThrow(/asks for \.Digset; there is digest, size, Config, tags/)
    expect(() => parseTemplate('{{.constructor}}')(value)).toThrow(StowageError)
  })
})
