import { isRepositoryName } from '@stowage/oci'
import { type Permission, type PermissionAction, permissionActions } from '../../access/permission.ts'
import { RegistryError } from '../../errors.ts'

/** Actions on a resource: what a scope asks for, and a member of the `access` claim of a token. */
export interface ResourceActions {
  readonly type: string
  readonly name: string
  readonly actions: readonly string[]
}

/** In the order in which tokens have them. */
const scopeActions = ['pull', 'push', 'delete', '*'] as const

/** What each stands for. Whether a push may move a tag is asked of the rules, so a scope never takes it away. */
const meaning: Readonly<Record<string, readonly PermissionAction[]>> = {
  pull: ['pull'],
  push: ['push', 'overwrite'],
  delete: ['delete'],
  '*': permissionActions,
}

const mostScopes = 100
const mostCharacters = 4096

/**
 * The scopes of a request for a token, each text with any number of them and spaces between. What is no scope is left out.
 *
 * @throws RegistryError `query-invalid` when there are more than `most`, or more than 4096 characters of them.
 */
export const parseScopes = (texts: readonly string[], most = mostScopes): ResourceActions[] => {
  const characters = texts.reduce((sum, text) => sum + text.length, 0)
  const parts =
    characters > mostCharacters ? [] : texts.flatMap((text) => text.split(' ')).filter((part) => part !== '')
  if (characters > mostCharacters || parts.length > most) {
    throw new RegistryError(
      'query-invalid',
      `The parameter \`scope\` asks for too much: at most ${most} scopes and ${mostCharacters} characters. Ask for fewer.`,
    )
  }
  return parts.map(parseScope).filter((scope) => scope !== undefined)
}

/** `type:name:action,action`, from both ends: the name may have colons of its own (`host:5000/a/b`). */
const parseScope = (text: string): ResourceActions | undefined => {
  const first = text.indexOf(':')
  const last = text.lastIndexOf(':')
  if (first === -1 || first === last) return undefined
  const actions = text.slice(last + 1).split(',')
  return { type: withoutClass(text.slice(0, first)), name: text.slice(first + 1, last), actions }
}

/** Docker writes `repository(plugin)`: the class says what is in the repository, not what may be done. */
const withoutClass = (type: string): string => {
  const open = type.indexOf('(')
  return open > 0 && type.endsWith(')') ? type.slice(0, open) : type
}

/**
 * What of `requested` is allowed, each repository once. `*` asks for everything and gets what there is. The list of
 * repositories is for everybody, since it shows only what its reader may pull.
 */
export const intersect = (
  requested: readonly ResourceActions[],
  allowed: (action: PermissionAction, repository: string) => boolean,
): ResourceActions[] => {
  const catalog = requested.some(isCatalog)
  const repositories = [...requestedIn(requested)].map(([name, actions]) => ({
    type: 'repository',
    name,
    actions: scopeActions.filter(
      (action) => (actions.has(action) || actions.has('*')) && allowed(action === '*' ? 'administer' : action, name),
    ),
  }))
  return [
    ...(catalog ? [{ type: 'registry', name: 'catalog', actions: ['*'] }] : []),
    ...repositories.filter(({ actions }) => actions.length > 0),
  ]
}

/** The repositories that are asked for, each once, with what is asked for there. */
export const requestedIn = (requested: readonly ResourceActions[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const wanted = new Map<string, Set<string>>()
  for (const { type, name, actions: asked } of requested) {
    // A scope is never a glob: `*` is no character of a name.
    if (type !== 'repository' || !isRepositoryName(name)) continue
    const actions = wanted.get(name) ?? new Set()
    for (const action of asked) actions.add(action)
    wanted.set(name, actions)
  }
  return wanted
}

/** What a token's `access` allows. Types, names and actions that are not known allow nothing. */
export const toPermissions = (
  access: readonly ResourceActions[],
): { readonly permissions: readonly Permission[]; readonly catalog: boolean } => ({
  permissions: access.flatMap(({ type, name, actions }) => {
    if (type !== 'repository' || !isRepositoryName(name)) return []
    const meant = new Set(actions.flatMap((action) => (Object.hasOwn(meaning, action) ? (meaning[action] ?? []) : [])))
    return meant.size === 0 ? [] : [{ repositories: name, actions: permissionActions.filter((one) => meant.has(one)) }]
  }),
  catalog: access.some(isCatalog),
})

const isCatalog = ({ type, name, actions }: ResourceActions): boolean =>
  type === 'registry' && name === 'catalog' && actions.includes('*')

/** As a token's answer says what was granted. */
export const formatScopes = (access: readonly ResourceActions[]): string =>
  access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ')

/** The `access` claim of a token of somebody else. Members that are not as they should be are left out. */
export const parseAccess = (claim: unknown): ResourceActions[] => {
  if (!Array.isArray(claim)) return []
  return claim.slice(0, mostScopes).flatMap((member: unknown): ResourceActions[] => {
    const { type, name, actions } = (member ?? {}) as Partial<Record<keyof ResourceActions, unknown>>
    if (typeof type !== 'string' || typeof name !== 'string' || !Array.isArray(actions)) return []
    return [{ type: withoutClass(type), name, actions: actions.filter((action) => typeof action === 'string') }]
  })
}
