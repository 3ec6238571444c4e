import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { settingsFrom, type SettingsInput } from '../config/options.ts'
import { selfSigned } from '@stowage/testkit'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import { permit } from './policy.ts'

const permitted = async (input: SettingsInput): Promise<{ host: string; port: number }> =>
  (await permit(settingsFrom(input))).listen

test.each([
  ['127.0.0.1:5000', '127.0.0.1'],
  ['127.8.9.1', '127.8.9.1'],
  ['localhost:5000', '127.0.0.1'],
  ['LocalHost', '127.0.0.1'],
  ['[::1]', '::1'],
])('%s may be listened on', async (address, host) => {
  expect(await permitted({ address })).toEqual({ host, port: 5000 })
})

test.each(['0.0.0.0', ':5000', '[::]:5000', '10.1.2.3:5000', '[::ffff:10.0.0.1]:5000'])(
  '%s needs --allow-anonymous',
  async (address) => {
    await expect(permitted({ address })).rejects.toThrow(/can be reached from other machines[^]*--allow-anonymous/)
    await expect(permitted({ address, auth: false })).rejects.toThrow(/--allow-anonymous/)
    await expect(permitted({ address, allowAnonymous: true })).resolves.toMatchObject({ port: 5000 })
    await expect(permitted({ address, auth: true })).resolves.toMatchObject({ port: 5000 })
  },
)

test('a name that does not exist is said to be one', async () => {
  await expect(permitted({ address: 'nowhere.invalid:5000' })).rejects.toThrow(/there is no host of this name/)
})

test('everything that forbids a start is listed', async () => {
  const input = { address: '0.0.0.0', tls: { key: '/nowhere' }, access: { htpasswd: '/none' } }
  await expect(permitted(input)).rejects.toThrow(
    /4 problems:[^]*access\.htpasswd does nothing[^]*--allow-anonymous[^]*tls\.key needs tls\.cert[^]*\/none cannot be read/,
  )
})

test('TLS files must be there and belong together', async () => {
  await using directory = await temporaryDirectory()
  const file = (name: string): string => join(directory.path, name)
  for (const name of ['a', 'b']) {
    const { cert, key } = selfSigned()
    writeFileSync(file(`${name}.crt`), cert)
    writeFileSync(file(`${name}.key`), key)
  }
  writeFileSync(file('text'), 'hello')
  const tls = async (cert: string, key: string): Promise<unknown> =>
    permit(settingsFrom({ tls: { cert: file(cert), key: file(key) } }))
  await expect(tls('a.crt', 'a.key')).resolves.toMatchObject({ tls: { cert: expect.any(Buffer) as Buffer } })
  await expect(tls('a.crt', 'b.key')).rejects.toThrow(/not a certificate with its key/)
  await expect(tls('text', 'a.key')).rejects.toThrow(/not a certificate with its key/)
  await expect(tls('none', 'gone')).rejects.toThrow(
    /tls\.cert: .*none cannot be read: it does not exist[^]*tls\.key: .*gone/,
  )
})
