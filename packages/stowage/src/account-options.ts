import { type AccountOptions, fileProblems, type TokenServer } from '@stowage/registry'
import { decodeText } from './config/decode-text.ts'
import { isPassword } from './config/kinds.ts'
import { parseSubject } from './config/names.ts'
import type { SettingKey, Settings } from './config/settings.ts'
import type { Problem } from './failure.ts'
import { isUrl } from './config/urls.ts'
import { readSettingFile } from './server/setting-file.ts'

/** The part of the settings that accounts are made of. Whatever is wrong with it is added to `problems`. */
export const accountOptions = (settings: Settings, problems: Problem[]): AccountOptions => {
  const secret = secretOf(settings, problems)
  const password = passwordOf(settings, problems)
  const tokenServer = tokenServerOf(settings, problems)
  const { 'access.htpasswd': htpasswd, 'access.service': service } = settings
  if (htpasswd !== undefined) checkFile('access.htpasswd', htpasswd, fileProblems.htpasswd, problems)
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
  const weak = secret === undefined ? undefined : fileProblems.secret(secret)
  if (weak !== undefined) {
    problems.push({ key: 'access.secretFile', message: `access.secretFile: the secret in ${path} ${weak}` })
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
const readLine = (key: SettingKey, path: string, problems: Problem[]): string | undefined => {
  const bytes = readSettingFile(key, path, problems)
  if (bytes === undefined) return undefined
  const text = decodeText(bytes)
  if (text === undefined) problems.push({ key, message: `${key}: ${path} is not text in UTF-8` })
  return text?.replace(/\r?\n$/, '')
}

/** The registry reads such a file itself, later: what is wrong with it is said now, all at once. */
const checkFile = (
  key: SettingKey,
  path: string,
  problemOf: (text: string) => string | undefined,
  problems: Problem[],
): void => {
  const text = readSettingFile(key, path, problems)?.toString('utf8')
  const problem = text === undefined ? undefined : problemOf(text)
  if (problem !== undefined) problems.push({ key, message: `${key}: ${path} cannot be used: ${problem}` })
}

const tokenServerOf = (settings: Settings, problems: Problem[]): TokenServer | undefined => {
  const { 'tokenServer.realm': realm, 'tokenServer.issuer': issuer, 'tokenServer.jwks': jwks } = settings
  if (realm !== undefined && issuer !== undefined && jwks !== undefined) {
    if (!isUrl(jwks)) checkFile('tokenServer.jwks', jwks, fileProblems.jwks, problems)
    return { realm, issuer, jwks }
  }
  const keys = ['tokenServer.realm', 'tokenServer.issuer', 'tokenServer.jwks'] as const
  const given = keys.find((key) => settings[key] !== undefined)
  const missing = keys.filter((key) => settings[key] === undefined)
  if (given !== undefined) problems.push({ key: given, message: `${given} needs ${missing.join(' and ')} beside it` })
  return undefined
}
