import type { AccountOptions, TokenServer } from '@stowage/registry'
import { isPassword } from './config/kinds.ts'
import { parseSubject } from './config/names.ts'
import type { SettingKey, Settings } from './config/settings.ts'
import type { Problem } from './failure.ts'
import { readSettingFile } from './server/setting-file.ts'

/** The part of the settings that accounts are made of. Whatever is wrong with it is added to `problems`. */
export const accountOptions = (settings: Settings, problems: Problem[]): AccountOptions => {
  const secret = secretOf(settings, problems)
  const password = passwordOf(settings, problems)
  const tokenServer = tokenServerOf(settings, problems)
  const { 'access.htpasswd': htpasswd, 'access.service': service } = settings
  if (htpasswd !== undefined) readSettingFile('access.htpasswd', htpasswd, problems)
  return {
    tokenLifetime: settings['tokens.lifetime'],
    rules: (settings['access.rules'] ?? []).flatMap(({ subject: text, repositories, actions }) => {
      const subject = parseSubject(text)
      return subject === undefined ? [] : [{ subject, repositories, actions }]
    }),
    issuers: settings['access.issuers'] ?? [],
    ...(secret !== undefined && { secret }),
    ...(password !== undefined && { firstAdministrator: { name: settings['admin.name'], password } }),
    ...(htpasswd !== undefined && { htpasswd }),
    ...(service !== undefined && { service }),
    ...(tokenServer !== undefined && { tokenServer }),
  }
}

const secretOf = ({ 'access.secretFile': path }: Settings, problems: Problem[]): string | undefined => {
  if (path === undefined) return undefined
  const secret = readLine('access.secretFile', path, problems)
  if (secret !== undefined && secret.length < 32) {
    problems.push({
      key: 'access.secretFile',
      message: `access.secretFile: ${path} has fewer than 32 characters. Make one with: openssl rand -base64 33`,
    })
  }
  return secret
}

const passwordOf = (settings: Settings, problems: Problem[]): string | undefined => {
  const { 'admin.password': password, 'admin.passwordFile': path } = settings
  if (path === undefined) return password
  if (password !== undefined) {
    const message = 'admin.password and admin.passwordFile both give the password: leave one of them away'
    problems.push({ key: 'admin.passwordFile', message })
  }
  const read = readLine('admin.passwordFile', path, problems)
  if (read !== undefined && !isPassword(read)) {
    const message = `admin.passwordFile: the password in ${path} must have at least 8 characters, at most 1024 bytes, and be one line`
    problems.push({ key: 'admin.passwordFile', message })
  }
  return read
}

/** Without the end of the line that editors and `echo` add. */
const readLine = (key: SettingKey, path: string, problems: Problem[]): string | undefined =>
  readSettingFile(key, path, problems)
    ?.toString('utf8')
    .replace(/\r?\n$/, '')

const tokenServerOf = (settings: Settings, problems: Problem[]): TokenServer | undefined => {
  const { 'tokenServer.realm': realm, 'tokenServer.issuer': issuer, 'tokenServer.jwks': jwks } = settings
  if (realm !== undefined && issuer !== undefined && jwks !== undefined) return { realm, issuer, jwks }
  const keys = ['tokenServer.realm', 'tokenServer.issuer', 'tokenServer.jwks'] as const
  const given = keys.find((key) => settings[key] !== undefined)
  const missing = keys.filter((key) => settings[key] === undefined)
  if (given !== undefined) problems.push({ key: given, message: `${given} needs ${missing.join(' and ')} beside it` })
  return undefined
}
