import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { listedCommands } from '../commands/list.ts'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const bash = async (program: string): Promise<string> =>
  (await promisify(execFile)('bash', ['--norc', '-c', program])).stdout

let script: string
beforeAll(async () => {
  script = (await stowage(['completion', 'bash'])).stdout
})

/** What bash offers at the end of this line. */
const complete = async (line: string): Promise<string[]> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  const file = join(directory.path, 'completion.bash')
  await writeFile(file, script)
  const words = line.split(' ').map((word) => `'${word}'`)
  const printed = await bash(`
    source '${file}'
    complete -p stowage > /dev/null || exit 1
    COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}
    _stowage
    printf '%s\\n' "\${COMPREPLY[@]}"`)
  return printed.split('\n').filter(Boolean)
}

describe('bash', () => {
  test('registers a function that completes files where it knows nothing better', async () => {
    expect(await bash(`${script}\ncomplete -p stowage`)).toBe(
      'complete -o bashdefault -o default -F _stowage stowage\n',
    )
  })

  test.each([
    ['stowage logi', ['login']],
    ['stowage lo', ['login', 'logout']],
    ['stowage se', ['serve']],
    ['stowage manifest ', ['rm', 'delete', 'get', 'fetch', 'head', 'put', 'push', 'fetch-config']],
    ['stowage manifest g', ['get']],
    ['stowage tag r', ['rm']],
    ['stowage ls --li', ['--limit']],
    ['stowage ls alpine --excl', ['--exclude', '--exclude-digest-tags']],
    ['stowage --debug ls --om', ['--omit-digest-tags']],
    ['stowage manifest get alpine --platf', ['--platform']],
    ['stowage manifest --platf', ['--platform']],
    ['stowage manifest --platform linux/arm64 --des', ['--descriptor']],
    ['stowage blob push --pl', ['--plain-http']],
    ['stowage blob push --no-pl', ['--no-plain-http']],
    ['stowage serve --tls-c', ['--tls-cert']],
    ['stowage status --js', ['--json']],
    ['stowage serve --no-a', ['--no-auth']],
    ['stowage serve --admin-p', ['--admin-password-file']],
    ['stowage us', ['user']],
    ['stowage access ', ['allow', 'add', 'ls', 'list', 'rm', 'delete', 'explain']],
    ['stowage user add ada --no', ['--no-password', '--no-tty']],
    ['stowage user set ada --no-a', ['--no-administrator']],
    ['stowage auth login -', undefined],
    ['stowage ls --last v', []],
    ['stowage ls alp', []],
    ['stowage blob get x -o fi', []],
  ])('%s', async (line, expected) => {
    const offered = await complete(line)
    if (expected === undefined) expect(offered).toContain('--password-stdin')
    else expect(offered.toSorted()).toEqual(expected.toSorted())
  })

  test('knows the first word of every command', async () => {
    const offered = await complete('stowage ')
    const first = listedCommands.flatMap(({ name, aliases }) =>
      [name, ...aliases].map((one) => one.split(' ')[0] ?? ''),
    )
    expect(offered.toSorted()).toEqual([...new Set([...first, 'serve', 'status', 'sweep'])].toSorted())
  })
})

describe('zsh and fish', () => {
  test('have every command and option', async () => {
    for (const shell of ['zsh', 'fish']) {
      const { code, stdout } = await stowage(['completion', shell])
      expect(code).toBe(0)
      for (const word of [
        'manifest',
        'list-tags',
        'exclude-digest-tags',
        'password-stdin',
        'no-plain-http',
        'tls-cert',
      ])
        expect(stdout).toContain(word)
    }
  })
})
