import { describe, expect, test } from 'vitest'
import { type Stowage, worlds } from '../testing/account-worlds.ts'

const password = { stdin: 'correct horse\n' }

/** What a command prints as JSON. */
const json = async (stowage: Stowage, ...argv: string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await stowage([...argv, '--json'])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return JSON.parse(stdout)
}

describe.each(Object.entries(worlds))('with %s', (place, world) => {
  test('users are added, changed, locked out and removed', async () => {
    const stowage = await world()
    expect(await stowage(['user', 'ls'])).toMatchObject({
      code: 0,
      stdout: 'There is no user yet. Add one: stowage user add\n',
    })
    expect(await stowage(['user', 'add', 'admin', '--administrator', '--password-stdin'], password)).toMatchObject({
      code: 0,
      stdout: 'Added admin.\n',
      stderr: '',
    })
    expect(await stowage(['user', 'add', 'ada', '--group', 'dev', '--group', 'ops', '--no-password'])).toMatchObject({
      code: 0,
    })
    expect(await json(stowage, 'user', 'ls')).toMatchObject({
      users: [
        { name: 'ada', administrator: false, groups: ['dev', 'ops'], hasPassword: false, disabled: false },
        { name: 'admin', administrator: true, groups: [], hasPassword: true, disabled: false },
      ],
    })
    const { stdout } = await stowage(['user', 'ls'])
    expect(stdout).toMatch(
      /^NAME +ROLE +GROUPS +LOGS IN WITH +ADDED\nada +- +dev,ops +tokens only +20\S+Z\nadmin +administrator /,
    )

    expect(await json(stowage, 'user', 'set', 'ada', '--administrator', '--group', 'dev')).toMatchObject({
      administrator: true,
      groups: ['dev'],
    })
    expect(await json(stowage, 'user', 'set', 'ada', '--no-administrator', '--no-groups')).toMatchObject({
      administrator: false,
      groups: [],
    })
    expect(await json(stowage, 'user', 'disable', 'ada')).toMatchObject({ disabled: true })
    expect(await json(stowage, 'user', 'enable', 'ada')).toMatchObject({ disabled: false })
    expect(await stowage(['user', 'passwd', 'ada', '--password-stdin'], password)).toMatchObject({
      code: 0,
      stdout: 'Changed the password of ada.\n',
    })
    expect(await json(stowage, 'user', 'list')).toMatchObject({ users: [{ name: 'ada', hasPassword: true }, {}] })
    expect(await stowage(['user', 'rm', 'ada'])).toMatchObject({ code: 0, stdout: 'Removed ada.\n' })
    expect(await json(stowage, 'user', 'ls')).toMatchObject({ users: [{ name: 'admin' }] })
  })

  test('a token is printed once, alone on stdout', async () => {
    const stowage = await world()
    await stowage(['user', 'add', 'ada', '--no-password'])
    const made = await stowage(['token', 'add', 'ada', '--label', 'laptop'])
    expect(made.stdout).toMatch(/^stwp_[a-z0-9]{16}_[\w-]{43}\n$/)
    const [, id = ''] = /^stwp_([a-z0-9]+)_/.exec(made.stdout) ?? []
    expect(made.stderr).toBe(`Token ${id} of ada, good until it is removed. Its secret is not shown again.\n`)

    const narrow = ['--repository', 'team/*', '--repository', 'lib', '--actions', 'pull,push', '--expires', '90d']
    const second = (await json(stowage, 'token', 'add', 'ada', '--label', 'ci', ...narrow)) as {
      token: { createdAt: number; expiresAt: number }
      secret: string
    }
    expect(second.token).toMatchObject({
      user: 'ada',
      label: 'ci',
      permissions: [
        { repositories: 'team/*', actions: ['pull', 'push'] },
        { repositories: 'lib', actions: ['pull', 'push'] },
      ],
    })
    expect(second.token.expiresAt - second.token.createdAt).toBe(90 * 86_400_000)
    const third = await json(stowage, 'token', 'add', 'ada', '--label', 'a', '--repository', 'a')
    expect(third).toMatchObject({
      token: { permissions: [{ repositories: 'a', actions: ['pull', 'push', 'overwrite', 'delete'] }] },
    })

    const listed = await stowage(['token', 'ls', 'ada'])
    expect(listed.stdout).toMatch(/^ID +USER +LABEL +MAY +ENDS +LAST USED\n/)
    expect(listed.stdout).toContain(`${id}  ada   laptop  what its user may`)
    expect(listed.stdout).toMatch(/ci +team\/\*: pull,push; lib: pull,push +20\S+Z +-$/m)
    expect(listed.stdout).not.toContain(second.secret.slice(-43))
    expect(await stowage(['token', 'rm', id])).toMatchObject({ code: 0, stdout: `Removed ${id}.\n` })
    expect(await json(stowage, 'token', 'ls')).toMatchObject({
      tokens: [
        { kind: 'personal', label: 'ci' },
        { kind: 'personal', label: 'a' },
      ],
    })
    expect(await json(stowage, 'token', 'ls', 'ada', '--refresh')).toEqual({ tokens: [] })
  })

  test('rules are added, listed, explained and removed', async () => {
    const stowage = await world()
    await stowage(['user', 'add', 'ada', '--group', 'dev', '--no-password'])
    expect((await stowage(['access', 'ls'])).stdout).toMatch(/^There is no rule/)
    const rule = (await json(stowage, 'access', 'allow', 'group:dev', 'team/*', 'pull,push')) as { id: number }
    expect(rule).toMatchObject({ subject: 'group:dev', repositories: 'team/*', actions: ['pull', 'push'] })
    expect((await stowage(['access', 'allow', 'anonymous', 'public/*', 'pull'])).stdout).toMatch(
      /^Rule \d+: anonymous in public\/\*: pull\n$/,
    )
    expect((await stowage(['access', 'ls'])).stdout).toMatch(
      /^ID +SUBJECT +REPOSITORIES +ACTIONS\n\d+ +group:dev +team\/\* +pull,push\n\d+ +anonymous +public\/\* +pull\n$/,
    )

    const allowed = await stowage(['access', 'explain', 'ada', 'push', 'team/app:v1'])
    expect(allowed).toMatchObject({ code: 0, stderr: '' })
    expect(allowed.stdout).toMatch(new RegExp(`^Allowed\\. .*${rule.id}.*group:dev.*team/\\*`))
    const denied = await stowage(['access', 'explain', 'ada', 'overwrite', 'team/app:v1'])
    // Where nobody is asked, she may: the answer alone says how that is.
    const off = place === 'a server without'
    expect(denied).toMatchObject({ code: 5, stderr: off ? '' : 'stowage: ada may not overwrite team/app:v1.\n' })
    expect(denied.stdout).toMatch(/^Denied\. /)
    expect(await stowage(['access', 'explain', 'anonymous', 'pull', 'public/a'])).toMatchObject({ code: 0 })
    expect(await stowage(['access', 'explain', 'anonymous', 'pull', 'team/a'])).toMatchObject({ code: 5 })
    const explained = await stowage(['access', 'explain', 'ada', 'pull', 'elsewhere', '--json'])
    expect(explained.code).toBe(5)
    expect(JSON.parse(explained.stdout)).toMatchObject({ allowed: false, decision: 'no-rule' })

    await stowage(['user', 'disable', 'ada'])
    const disabled = await stowage(['access', 'explain', 'ada', 'push', 'team/app'])
    expect(disabled).toMatchObject({
      code: 5,
      stdout: expect.stringMatching(/^Denied\. The user ada is disabled\./) as string,
    })
    await stowage(['user', 'enable', 'ada'])
    expect(await stowage(['access', 'rm', String(rule.id)])).toMatchObject({ code: 0 })
    expect(await stowage(['access', 'explain', 'ada', 'push', 'team/app'])).toMatchObject({ code: 5 })
  })

  test('a rule for somebody who is not there says so', async () => {
    const stowage = await world()
    await stowage(['user', 'add', 'ada', '--no-password'])
    expect(await stowage(['access', 'allow', 'user:ada', 'a', 'pull'])).toMatchObject({ code: 0, stderr: '' })
    expect(await stowage(['access', 'allow', 'group:dev', 'a', 'pull'])).toMatchObject({ code: 0, stderr: '' })
    expect(await stowage(['access', 'allow', 'user:nosuch', 'a', 'pull'])).toMatchObject({
      code: 0,
      stderr: 'There is no user nosuch yet: the rule waits for one.\n',
    })
  })

  test.each([
    ['disable', []],
    ['rm', ['--force']],
    ['set', ['--no-administrator']],
  ])('user %s says when there is no administrator left', async (verb, more) => {
    const stowage = await world()
    for (const user of ['ann', 'bob', 'cid']) await stowage(['user', 'add', user, '--administrator', '--no-password'])
    await stowage(['user', 'add', 'dan', '--no-password'])
    await stowage(['user', 'disable', 'cid'])
    expect(await stowage(['user', verb, 'ann', ...more])).toMatchObject({ code: 0, stderr: '' })
    expect(await stowage(['user', verb, 'cid', ...more])).toMatchObject({ code: 0, stderr: '' })
    expect(await stowage(['user', verb, 'dan', ...more])).toMatchObject({ code: 0, stderr: '' })
    expect(await stowage(['user', verb, 'bob', ...more])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning: bob was the last administrator\. /) as string,
    })
  })

  test('issuers are trusted, and no more', async () => {
    const stowage = await world()
    const url = 'https://token.actions.example'
    const options = ['--audience', 'registry.example', '--claim', 'repository=acme/*', '--claim', 'ref=a=b']
    const permissions = ['--repository', 'acme/*', '--actions', 'pull,push']
    expect(await stowage(['issuer', 'add', 'ci', url, ...options, ...permissions])).toMatchObject({
      code: 0,
      stdout: `Tokens of ${url} are good for acme/*: pull,push\n`,
    })
    expect(await json(stowage, 'issuer', 'ls')).toEqual({
      issuers: [
        {
          name: 'ci',
          issuer: url,
          audience: 'registry.example',
          conditions: { repository: 'acme/*', ref: 'a=b' },
          permissions: [{ repositories: 'acme/*', actions: ['pull', 'push'] }],
        },
      ],
    })
    expect((await stowage(['issuer', 'ls'])).stdout).toMatch(/repository=acme\/\* ref=a=b +acme\/\*: pull,push$/m)
    expect(await stowage(['issuer', 'rm', 'ci'])).toMatchObject({ code: 0, stdout: 'Removed ci.\n' })
    expect((await stowage(['issuer', 'ls'])).stdout).toBe('No issuer is trusted.\n')
  })

  test('keys are rotated', async () => {
    const stowage = await world()
    const first = (await json(stowage, 'key', 'rotate')) as { id: string }
    expect((await stowage(['key', 'rotate'])).stdout).toMatch(/^Key \S+ signs from now on\.\n$/)
    const { keys } = (await json(stowage, 'key', 'ls')) as { keys: { id: string; current: boolean }[] }
    expect(keys.filter(({ current }) => current)).toHaveLength(1)
    expect(keys.find(({ id }) => id === first.id)?.current).toBe(false)
    const last = (await json(stowage, 'key', 'rotate', '--revoke')) as { id: string }
    expect((await stowage(['key', 'ls'])).stdout).toMatch(
      new RegExp(`^ID +ALGORITHM +MADE +USE\\n${last.id} +EdDSA +20\\S+Z +signs\\n$`),
    )
  })

  test('what is not there, is there already or is not understood has a code', async () => {
    const stowage = await world()
    await stowage(['user', 'add', 'ada', '--no-password'])
    expect(await stowage(['user', 'add', 'ada', '--no-password'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'stowage: There is a user ada already.\n',
    })
    for (const argv of [
      ['user', 'rm', 'bob'],
      ['user', 'disable', 'bob'],
      ['token', 'rm', 'x'.repeat(16)],
      ['token', 'add', 'bob', '--label', 'x'],
      ['access', 'rm', '12345'],
      ['access', 'explain', 'bob', 'pull', 'a'],
      ['issuer', 'rm', 'ci'],
    ]) {
      expect(await stowage(argv)).toMatchObject({
        code: 3,
        stdout: '',
        stderr: expect.stringMatching(/There is no/) as string,
      })
    }
    for (const argv of [
      ['user', 'add', 'a b', '--no-password'],
      ['user', 'add', 'bob', '--no-password', '--group', '-'],
      ['user', 'set', 'ada'],
      ['user', 'set', 'ada', '--group', 'a', '--no-groups'],
      ['user', 'add', 'bob', '--no-password', '--password-stdin'],
      ['user', 'add', 'bob', '--password', 'hunter2hunter2'],
      ['token', 'add', 'ada'],
      ['token', 'add', 'ada', '--label', 'x', '--actions', 'write'],
      ['token', 'add', 'ada', '--label', 'x', '--expires', 'soon'],
      ['token', 'add', 'ada', '--label', 'x', '--repository', 'A'],
      ['access', 'allow', 'ada', '*', 'pull'],
      ['access', 'allow', 'user:ada', '*', 'read'],
      ['access', 'allow', 'user:ada', 'UPPER', 'pull'],
      ['access', 'rm', 'x'],
      ['access', 'explain', 'ada', 'pull,push', 'a'],
      ['issuer', 'add', 'ci', 'https://ci.example'],
      [
        'issuer',
        'add',
        'ci',
        'https://ci.example',
        '--audience',
        'x',
        '--claim',
        'x',
        '--repository',
        '*',
        '--actions',
        'pull',
      ],
      ['key', 'rotate', 'x'],
    ]) {
      const { code, stdout, stderr } = await stowage(argv)
      expect({ argv, code, stdout }).toEqual({ argv, code: 64, stdout: '' })
      expect(stderr).not.toContain('hunter2')
    }
  })
})

test('access explain says when nobody is asked', async () => {
  const { 'no server': none, 'a server with auth': on, 'a server without': off } = worlds
  const asked = async (make: typeof none, environment: Record<string, string> = {}): Promise<[string, unknown]> => {
    const stowage = await make?.()
    const explain = ['access', 'explain', 'anonymous', 'pull', 'a']
    const text = await stowage?.(explain, { environment })
    const answer = await stowage?.([...explain, '--json'], { environment })
    expect([text?.code, answer?.code]).toEqual([5, 5])
    expect(text?.stderr).toBe(make === off ? '' : 'stowage: anonymous may not pull a.\n')
    return [text?.stdout ?? '', (JSON.parse(answer?.stdout ?? '') as { auth?: boolean }).auth]
  }
  expect(await asked(on)).toEqual(['Denied. No rule allows it.\n', true])
  expect(await asked(none, { STOWAGE_AUTH: 'on' })).toEqual(['Denied. No rule allows it.\n', true])
  const open = expect.stringMatching(
    /^Denied\. No rule allows it\. But auth is off: at present .* everybody may/,
  ) as string
  expect(await asked(off)).toEqual([open, false])
  expect(await asked(none)).toEqual([
    expect.stringMatching(/with auth on\. No server runs, .* everybody may/),
    undefined,
  ])
})
