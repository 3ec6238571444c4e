/** The scopes of a token by the Docker token protocol: `repository:<name>:pull,push`, `registry:catalog:*`. */

export const pullScope = (repository: string): string => `repository:${repository}:pull`
export const pushScope = (repository: string): string => `repository:${repository}:pull,push`
export const deleteScope = (repository: string): string => `repository:${repository}:delete,pull,push`
export const catalogScope = 'registry:catalog:*'

/**
 * What a request needs and what a challenge asks for, as one list: each resource once, actions sorted. Equal needs become equal
 * lists, so that one token serves them.
 */
export const mergeScopes = (needed: readonly string[], asked: string | undefined): string[] => {
  const actions = new Map<string, Set<string>>()
  for (const scope of [...needed, ...(asked ?? '').split(' ')]) {
    const colon = scope.lastIndexOf(':')
    if (colon <= 0) continue
    const resource = scope.slice(0, colon)
    const known = actions.get(resource) ?? new Set()
    for (const action of scope.slice(colon + 1).split(',')) if (action !== '') known.add(action)
    actions.set(resource, known)
  }
  return [...actions].map(([resource, list]) => `${resource}:${[...list].toSorted().join(',')}`).toSorted()
}
