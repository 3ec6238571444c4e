import { expect, test } from 'vitest'
import { settingsFrom, type SettingsInput } from '../config/options.ts'
import { noticesOf, type NoticeFacts } from './notices.ts'

const notices = (input: SettingsInput, facts: Partial<NoticeFacts> = {}): string[] => {
  const listen = { host: '127.0.0.1', port: 5000 }
  return noticesOf({ settings: settingsFrom(input), listen, secure: false, users: 'some', ...facts })
}
const everywhere = { listen: { host: '', port: 5000 } }

test('without a word everybody on this machine may do everything, and it says how to change that', () => {
  expect(notices({})).toEqual([
    'auth is not on: everyone on this machine may push, pull and delete. Turn it on with --auth (STOWAGE_AUTH=on, auth: on); --no-auth says that this is meant.',
  ])
})

test('who said that it is meant is only reminded', () => {
  expect(notices({ auth: false })).toEqual(['auth is off: everyone on this machine may push, pull and delete.'])
  expect(notices({ auth: false }, everywhere)).toEqual([
    'auth is off: everyone who can reach this registry may push, pull and delete.',
  ])
})

test('with auth there is nothing to say, unless nobody can log in or passwords can be read on the way', () => {
  expect(notices({ auth: true })).toEqual([])
  expect(notices({ auth: true }, { users: 'none' })).toEqual([
    'There is no user yet. Make the first one with: stowage user add admin --administrator',
  ])
  expect(notices({ auth: true, data: '/srv/x' }, { users: 'none' })[0]).toMatch(/ --data \/srv\/x$/)
  expect(notices({ auth: true }, everywhere)).toEqual([expect.stringContaining('in clear text')])
  expect(notices({ auth: true }, { ...everywhere, secure: true })).toEqual([])
  expect(notices({ auth: true, publicUrl: 'https://registry.example' }, everywhere)).toEqual([])
})

test('users that are disabled are nobody who can log in', () => {
  expect(notices({ auth: true }, { users: 'disabled' })).toEqual([
    'Every user is disabled: nobody can log in. Let one in again with: stowage user enable NAME',
  ])
})

test('what does nothing is said to', () => {
  expect(notices({ auth: true, allowAnonymous: true })).toEqual([
    expect.stringMatching(/^allowAnonymous .* does nothing while auth is on/),
  ])
  const idle = expect.stringMatching(/^admin\.name does nothing without admin\.password/) as string
  expect(notices({ auth: true, admin: { name: 'root' } })).toEqual([idle])
  expect(notices({ auth: false, admin: { name: 'root' } })).toEqual([expect.any(String) as string, idle])
  expect(notices({ auth: true, admin: { name: 'root', password: 'correct horse' } })).toEqual([])
  expect(notices({ auth: true, admin: { name: 'root', passwordFile: 'password' } })).toEqual([])
})
