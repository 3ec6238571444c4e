/** One thing that a token allows, as in `repository:library/app:pull`. */
export interface Access {
  readonly type: string
  readonly name: string
  readonly action: string
}

export const accessKey = ({ type, name, action }: Access): string => `${type}:${name}:${action}`

/** Reads `type:name:action,action`, several of them apart by spaces. What is not of that form is nothing. */
export const parseScopes = (text: string): Access[] =>
  text.split(' ').flatMap((scope) => {
    // A name may have a port in it, and so a colon.
    const [, type = '', name = '', actions = ''] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? []
    return actions.split(',').flatMap((action) => (action === '' ? [] : [{ type, name, action }]))
  })

/** The other way round, as a challenge writes it. */
export const formatScopes = (access: readonly Access[]): string => {
  const scopes = new Map<string, string[]>()
  for (const { type, name, action } of access) {
    const resource = `${type}:${name}`
    scopes.set(resource, [...(scopes.get(resource) ?? []), action])
  }
  return [...scopes].map(([resource, actions]) => `${resource}:${actions.join(',')}`).join(' ')
}

const resource =
  /^\/v2\/(.+)\/(?:blobs\/uploads(?:\/[^/]*)?|blobs\/[^/]+|manifests\/[^/]+|tags\/[^/]+|referrers\/[^/]+)\/?$/

/** What a request needs, as the distribution project's registry has it: everything else in the field follows that. */
export const requiredAccess = (method: string, target: string): Access[] => {
  const { pathname, searchParams } = new URL(target, 'http://registry.test')
  if (/^\/v2\/_catalog\/?$/.test(pathname)) return [{ type: 'registry', name: 'catalog', action: '*' }]
  const name = resource.exec(pathname)?.[1]
  if (name === undefined) return []
  const needed = actionsOf(method).map((action) => ({ type: 'repository', name, action }))
  const from = searchParams.get('mount') === null ? null : searchParams.get('from')
  return from === null ? needed : [...needed, { type: 'repository', name: from, action: 'pull' }]
}

const actionsOf = (method: string): string[] => {
  if (method === 'GET' || method === 'HEAD') return ['pull']
  return method === 'DELETE' ? ['delete'] : ['pull', 'push']
}
