import { describe, expect, test } from 'vitest'
import { withoutServer } from '../testing/account-worlds.ts'

describe('passwords', () => {
  test('are asked for twice', async () => {
    const stowage = await withoutServer()
    const keys = ['correct horse\r', 'correct horse\r']
    const added = await stowage(['user', 'add', 'ada'], { keys })
    expect(added).toMatchObject({ code: 0, stdout: 'Added ada.\n' })
    expect(added.stderr).toMatch(/New password of ada[^]*The same once more/)
    expect(added.stderr).not.toContain('correct horse')
    const different = await stowage(['user', 'passwd', 'ada'], { keys: ['correct horse\r', 'correct hose\r'] })
    expect(different).toMatchObject({ code: 64 })
    expect(different.stderr).toContain('That was not the same. Nothing was changed.')
  })

  test('have to come from somewhere', async () => {
    const stowage = await withoutServer()
    expect(await stowage(['user', 'add', 'ada'])).toMatchObject({
      code: 64,
      stderr:
        'stowage: There is nobody to ask for a password: stdin is no terminal.\n' +
        '  Pipe it in with --password-stdin, or give none with --no-password.\n',
    })
    expect(await stowage(['user', 'passwd', 'ada', '--password-stdin'], { stdin: 'short\n' })).toMatchObject({
      code: 64,
      stderr: 'stowage: A password has at least 8 characters.\n',
    })
  })

  test('a removal is asked about, on a terminal', async () => {
    const stowage = await withoutServer()
    await stowage(['user', 'add', 'ada', '--no-password'])
    expect(await stowage(['user', 'rm', 'ada'], { keys: ['n'] })).toMatchObject({ code: 130 })
    expect(await stowage(['user', 'rm', 'ada', '--force'], { keys: [] })).toMatchObject({ code: 0 })
  })
})
