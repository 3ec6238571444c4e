import { describe, expect, it, test } from 'vitest'
import type { Fetch } from '../transport/fetch.ts'
import {
  DefaultUserAgent,
  NewClient,
  WithAuthScope,
  WithDebug,
  WithDefaultName,
  WithFetch,
  WithInsecureSkipTLSVerify,
  WithName,
  WithTimeouts,
  WithUserAgent,
  WithUsernamePassword,
} from './index.ts'

const usage = (message: string): unknown =>
  expect.objectContaining({ name: 'ClientError', code: 'usage', message: expect.stringContaining(message) })

describe('NewClient', () => {
  it('has its configuration in Config, and does no I/O', () => {
    const fetch: Fetch = async () => expect.unreachable()
    const client = NewClient(
      'http://127.0.0.1:8000/',
      WithDefaultName('myorg/myrepo'),
      WithDebug(true),
      WithUsernamePassword('me', 'hunter2'),
      WithAuthScope('repository:x:pull'),
      WithFetch(fetch),
    )
    expect(client.Config).toEqual({
      Address: 'http://127.0.0.1:8000',
      AuthScope: 'repository:x:pull',
      Username: 'me',
      Debug: true,
      DefaultName: 'myorg/myrepo',
      UserAgent: DefaultUserAgent,
      InsecureSkipTLSVerify: false,
    })
    expect(client.Config.Password).toBe('hunter2')
    expect(JSON.stringify({ ...client.Config })).not.toContain('hunter2')
    expect(JSON.stringify(client.Config)).not.toContain('hunter2')
  })

  test.each([
    ['', 'Address is required.'],
    ['127.0.0.1:5000', 'is not a valid URL: it does not begin with http:// or https://'],
    ['ftp://h', 'is not a valid URL: it does not begin with'],
    ['http://', 'is not a valid URL: its host or port cannot be read'],
    ['http://h:99999', 'is not a valid URL: its host or port cannot be read'],
    ['http://h/?a=b', 'is not a valid URL: it has a query or a fragment'],
    ['http://me:hunter2@h', 'The address has credentials in it.'],
    ['//me:hunter2@h', 'The address has credentials in it.'],
  ])('does not take %j for an address', (address, message) => {
    expect(() => NewClient(address)).toThrow(usage(message))
    expect(() => NewClient(address)).not.toThrow(/hunter2/)
  })

  test.each<[() => unknown, string]>([
    [() => WithUserAgent(''), 'UserAgent is required.'],
    [() => WithDefaultName('No'), 'Invalid repository name'],
    [() => WithUsernamePassword('a:b', 'c'), 'no colon'],
    [() => WithTimeouts({ idle: 0 }), 'The timeout idle must be a whole number'],
    [() => WithTimeouts({ all: 5 } as never), 'There is no timeout all.'],
    [() => NewClient('http://h', WithName('a') as never), 'WithName is not an option of NewClient.'],
    [() => NewClient('http://h', undefined as never), 'undefined is not an option of NewClient.'],
    [
      () => NewClient('http://h').NewRequest('GET', '/', WithDebug(true) as never),
      'WithDebug is not an option of NewRequest.',
    ],
    [
      () =>
        NewClient(
          'https://h',
          WithInsecureSkipTLSVerify(true),
          WithFetch(async () => expect.unreachable()),
        ),
      'no power over the fetch',
    ],
  ])('%o is refused', (make, message) => {
    expect(make).toThrow(usage(message))
  })
})
