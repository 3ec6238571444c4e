import { describe, expect, test } from 'vitest'
import { clientCommands } from '../client-commands/list.ts'
import { findCommand } from './find-command.ts'
import { moveLeadingOptions } from './leading-options.ts'

const find = (line: string) => {
  const found = findCommand(clientCommands, moveLeadingOptions(line.split(' ')))
  return found?.kind === 'command' ? [found.listed.name, ...found.rest] : found?.group
}

describe('findCommand', () => {
  test.each([
    ['ls alpine', ['ls', 'alpine']],
    ['list-tags docker://alpine', ['ls', 'docker://alpine']],
    ['repo tags alpine', ['ls', 'alpine']],
    ['repo ls localhost', ['catalog', 'localhost']],
    ['tag ls alpine', ['ls', 'alpine']],
    ['tag alpine:3 v1 v2', ['tag', 'alpine:3', 'v1', 'v2']],
    ['tag add alpine:3 v1', ['tag', 'alpine:3', 'v1']],
    ['tag rm alpine:3', ['tag rm', 'alpine:3']],
    ['manifest alpine', ['manifest get', 'alpine']],
    ['manifest fetch alpine', ['manifest get', 'alpine']],
    ['manifest delete alpine', ['rm', 'alpine']],
    ['manifest --platform linux/arm64 alpine', ['manifest get', '--platform', 'linux/arm64', 'alpine']],
    ['blob a@sha256:1', ['blob get', 'a@sha256:1']],
    ['auth login ghcr.io', ['login', 'ghcr.io']],
    ['registry login ghcr.io', ['login', 'ghcr.io']],
    ['resolve alpine', ['digest', 'alpine']],
    ['delete alpine', ['rm', 'alpine']],
    ['manifest', 'manifest'],
    ['manifest --help', 'manifest'],
    ['auth', 'auth'],
    ['serve 5000', undefined],
    ['--version', undefined],
  ])('%s', (line, expected) => {
    expect(find(line)).toEqual(expected)
  })

  test('a verb that a pure group does not have is told, with the nearest', () => {
    expect(() => find('auth logn ghcr.io')).toThrow(
      expect.objectContaining({
        message: '"logn" is not a command of stowage auth.',
        hint: 'Did you mean stowage auth login?',
      }),
    )
    expect(() => find('repo xyz')).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^There is tags, ls, list/) }),
    )
  })

  test.each([
    ['--debug ls alpine', ['ls', 'alpine', '--debug']],
    ['-q --ca-file a.pem --plain-http ls alpine', ['ls', 'alpine', '-q', '--ca-file', 'a.pem', '--plain-http']],
    ['--no-plain-http --jobs=3 ls alpine', ['ls', 'alpine', '--no-plain-http', '--jobs=3']],
    ['-v manifest get alpine', ['manifest get', 'alpine', '-v']],
  ])('options before the command are options of it: %s', (line, expected) => {
    expect(find(line)).toEqual(expected)
  })

  test('no two commands have the same name', () => {
    const names = clientCommands.flatMap(({ name, aliases }) => [name, ...aliases])
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted())
  })
})
