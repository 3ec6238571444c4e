import { isRepositoryName } from '@stowage/oci'
import { type Permission, permissionActions } from '../access/permission.ts'
import type { RuleSubject } from '../access/rules.ts'
import { AccountError } from './account-error.ts'
import { isGroupName, isUserName } from './names.ts'

/** What `Accounts` checks before anything is written. Each throws an `AccountError` that names the field. */

const invalid = (field: string, message: string): AccountError => new AccountError('invalid', message, field)

export const checkUserName = (name: unknown, field = 'name'): string => {
  if (isUserName(name)) return name
  throw invalid(
    field,
    'A user name has at most 128 letters, digits and characters of ._@+- and begins with a letter or digit. It is not "anonymous".',
  )
}

const leastPassword = 8
const mostPasswordBytes = 1024

export const checkPassword = (password: unknown): string => {
  if (typeof password !== 'string' || password.length < leastPassword) {
    throw invalid('password', `A password has at least ${leastPassword} characters.`)
  }
  if (Buffer.byteLength(password) > mostPasswordBytes) {
    throw invalid('password', `A password has at most ${mostPasswordBytes} bytes.`)
  }
  // oxlint-disable-next-line no-control-regex -- RFC 7617 section 2: Basic cannot carry them
  if (/[\u0000-\u001f\u007f]/.test(password)) throw invalid('password', 'A password has no control characters.')
  return password
}

const mostGroups = 100

export const checkGroups = (groups: unknown): string[] => {
  if (!Array.isArray(groups) || groups.length > mostGroups) {
    throw invalid('groups', `The groups of a user are a list of at most ${mostGroups}.`)
  }
  groups.forEach((group, index) => checkGroupName(group, `groups[${index}]`))
  return [...new Set(groups as string[])].toSorted()
}

const checkGroupName = (name: unknown, field: string): string => {
  if (isGroupName(name)) return name
  throw invalid(
    field,
    'The name of a group has at most 128 letters, digits and characters of ._@+-/ and begins with a letter or digit.',
  )
}

/** A glob that can match the name of a repository at all: a slip of the pen would be a rule that does nothing. */
export const checkRepositories = (glob: unknown, field: string): string => {
  if (typeof glob === 'string' && glob.length > 0 && glob.length <= 255) {
    // With something in the place of each `*` it must be a name.
    const plain = glob.replaceAll(/\*+/g, 'x')
    if (isRepositoryName(plain)) return glob.replaceAll(/\*+/g, '*')
  }
  throw invalid(
    field,
    'Repositories are named by a name or a glob, as in `team/*` or `*`: lower-case letters, digits and ._-/ with `*` for anything.',
  )
}

export const checkActions = (actions: unknown, field: string): Permission['actions'] => {
  if (Array.isArray(actions) && actions.length > 0 && actions.every(isAction)) {
    return permissionActions.filter((action) => actions.includes(action))
  }
  throw invalid(field, `Actions are one or more of ${permissionActions.join(', ')}.`)
}

const isAction = (action: unknown): boolean => (permissionActions as readonly unknown[]).includes(action)

const mostPermissions = 100

export const checkPermissions = (permissions: unknown, field: string): Permission[] => {
  if (!Array.isArray(permissions) || permissions.length === 0 || permissions.length > mostPermissions) {
    throw invalid(field, `Permissions are a list of 1 to ${mostPermissions}, each with repositories and actions.`)
  }
  return permissions.map((permission: unknown, index) => {
    const { repositories, actions } = (permission ?? {}) as Partial<Permission>
    return {
      repositories: checkRepositories(repositories, `${field}[${index}].repositories`),
      actions: checkActions(actions, `${field}[${index}].actions`),
    }
  })
}

export const checkSubject = (subject: unknown): RuleSubject => {
  const { kind, name } = (subject ?? {}) as { kind?: unknown; name?: unknown }
  switch (kind) {
    case 'anonymous':
    case 'authenticated':
      return { kind }
    case 'user':
      return { kind, name: checkUserName(name, 'subject') }
    case 'group':
      return { kind, name: checkGroupName(name, 'subject') }
    default:
      throw invalid('subject', 'A rule is for `user:<name>`, `group:<name>`, `authenticated` or `anonymous`.')
  }
}

export const checkLabel = (label: unknown): string => {
  // oxlint-disable-next-line no-control-regex -- finding them is the purpose
  if (typeof label === 'string' && label.trim() !== '' && label.length <= 100 && !/[\u0000-\u001f\u007f]/.test(label)) {
    return label.trim()
  }
  throw invalid('label', 'The label of a token says what it is for, in 1 to 100 characters on one line.')
}

/** Ten years: a longer one is a slip of the pen. */
const longestLife = 10 * 365 * 24 * 3600

export const checkLife = (seconds: unknown): number => {
  if (Number.isInteger(seconds) && (seconds as number) >= 60 && (seconds as number) <= longestLife) {
    return seconds as number
  }
  throw invalid('expiresIn', 'The life of a token is a whole number of seconds from 60 (a minute) to ten years.')
}
