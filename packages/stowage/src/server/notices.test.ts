import { expect, test } from 'vitest'
import { settingsFrom, type SettingsInput } from '../config/options.ts'
import { noticesOf, type NoticeFacts } from './notices.ts'

const notices = (input: SettingsInput, facts: Partial<NoticeFacts> = {}): string[] => {
  const listen = { host: '127.0.0.1', port: 5000 }
  return noticesOf({ settings: settingsFrom(input), listen, secure: false, hasUsers: true, ...facts })
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
  expect(notices({ auth: true }, { hasUsers: false })).toEqual([
    'There is no user yet. Make the first one with: stowage user add admin --administrator',
  ])
  expect(notices({ auth: true, data: '/srv/x' }, { hasUsers: false })[0]).toMatch(/ --data \/srv\/x$/)
  expect(notices({ auth: true }, everywhere)).toEqual([expect.stringContaining('in clear text')])
  expect(notices({ auth: true }, { ...everywhere, secure: true })).toEqual([])
  expect(notices({ auth: true, publicUrl: 'https://registry.example' }, everywhere)).toEqual([])
})
