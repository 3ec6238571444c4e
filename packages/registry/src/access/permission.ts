/** What may be allowed on a repository. `push` creates; only `overwrite` moves a tag that is there. */
export const permissionActions = ['pull', 'push', 'overwrite', 'delete', 'administer'] as const

export type PermissionAction = (typeof permissionActions)[number]

/** Actions on all repositories whose names a glob matches. `administer` stands for all actions. */
export interface Permission {
  /** `*` stands for any run of characters, `/` included; everything else for itself. */
  readonly repositories: string
  readonly actions: readonly PermissionAction[]
}

/** Whether the glob matches the whole of `text`. Linear in `text` for each `*`; no regular expression is made of a user's words. */
export const matchesGlob = (glob: string, text: string): boolean => {
  const parts = glob.split('*')
  const [first = ''] = parts
  if (parts.length === 1) return glob === text
  const last = parts.at(-1) ?? ''
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  const end = text.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

export const permits = (permission: Permission, action: PermissionAction, repository: string): boolean =>
  (permission.actions.includes(action) || permission.actions.includes('administer')) &&
  matchesGlob(permission.repositories, repository)
