import { type PermissionAction, permits } from './permission.ts'
import type { Principal, Within } from './principal.ts'

/** What keeps a principal from an action that is otherwise allowed; undefined when nothing does. */
export const narrowing = (
  { within }: Principal,
  action: PermissionAction,
  repository: string,
): Within['kind'] | undefined =>
  within?.find(({ permissions }) => !permissions.some((each) => permits(each, action, repository)))?.kind

/** Whether the scopes of a Bearer token, if there are any, include the list of repositories. */
export const mayList = ({ within = [] }: Principal): boolean =>
  within.every(({ kind, catalog }) => kind !== 'scopes' || catalog === true)
