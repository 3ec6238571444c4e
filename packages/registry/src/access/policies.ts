import { RegistryError } from '../errors.ts'
import type { Action, Quota } from './grant.ts'
import { matchesGlob } from './permission.ts'
import type { Principal } from './principal.ts'

/** What holds for everybody, administrators included, on every route that changes something. */
export interface Policies {
  /** Nothing is pushed, tagged, mounted or deleted. Pulls go on. Default false. */
  readonly readOnly?: boolean
  /** Manifests, tags and blobs can be deleted. Default true. */
  readonly deletion?: boolean
  /** Tags that stay as they were first set. Default: none. */
  readonly immutableTags?: readonly ImmutableTags[]
  /** Limits on stored bytes. Default: none. */
  readonly quotas?: readonly QuotaRule[]
}

/** Globs: `*` stands for any run of characters. */
export interface ImmutableTags {
  readonly repositories: string
  readonly tags: string
}

export type QuotaRule =
  /** Of all repositories that the glob matches, together. */
  | { readonly repositories: string; readonly bytes: number }
  /** Of everything that a user brought; `*` gives each user as much, unless a rule names the user. */
  | { readonly user: string; readonly bytes: number }

/** @throws RegistryError when a policy forbids it whoever asks. */
export const assertPolicies = (policies: Policies, action: Action): void => {
  if (action !== 'push' && action !== 'delete') return
  if (policies.readOnly === true) {
    throw new RegistryError('read-only', 'The registry is read-only at the moment: nothing can be changed. Try later.')
  }
  if (action === 'delete' && policies.deletion === false) {
    throw new RegistryError('deletion-disabled', 'Deletion is turned off in this registry.')
  }
}

export const immutableTagsOf = ({ immutableTags = [] }: Policies, repository: string): string[] =>
  immutableTags.filter(({ repositories }) => matchesGlob(repositories, repository)).map(({ tags }) => tags)

export const quotasOf = ({ quotas = [] }: Policies, principal: Principal, repository: string): Quota[] => {
  const own = quotas.find((rule) => 'user' in rule && rule.user === principal.name)
  const each = quotas.find((rule) => 'user' in rule && rule.user === '*')
  const ofUser = own ?? each
  return [
    ...quotas.flatMap((rule): Quota[] =>
      'repositories' in rule && matchesGlob(rule.repositories, repository)
        ? [{ kind: 'repositories', glob: rule.repositories, bytes: rule.bytes }]
        : [],
    ),
    ...(ofUser === undefined ? [] : [{ kind: 'actor', actor: principal.name, bytes: ofUser.bytes } as const]),
  ]
}
