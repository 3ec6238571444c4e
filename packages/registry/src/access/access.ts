import { RegistryError } from '../errors.ts'
import type { Action, Grant, RepositoryFilter } from './grant.ts'
import { assertPolicies, immutableTagsOf, type Policies, quotasOf } from './policies.ts'
import { anonymous, type Principal } from './principal.ts'

/** What a host's `authenticate` sees of a request: no object of any web framework. */
export interface RequestInfo {
  readonly method: string
  readonly path: string
  /** Of the client: where a proxy is trusted, what it says. */
  readonly remoteAddress: string | undefined
  header(name: string): string | null
}

/** What the request wants to act on. */
export interface Resource {
  readonly repository: string | undefined
  /**
   * The tag that is to be read, set, moved or deleted. A push that sets several tags asks once for each, and so does the
   * deletion of a manifest that several tags name, after it has asked without one.
   */
  readonly tag?: string
}

/** The verdict of a host's `authorize`. */
export type Verdict =
  | { readonly allow: true; readonly overwriteTags?: boolean }
  | {
      readonly allow: false
      /** Sent as `WWW-Authenticate` with a 401. */
      readonly challenge?: string
      /** A 401 with the registry's own challenge: there are no credentials, or another token could have the scope. */
      readonly login?: Login
      /** Without either of these the answer is a 403. */
      readonly reason?: string
    }

export type Login = 'required' | 'insufficient-scope'

/** What a list of repositories is for. Bearer scopes narrow a mount; a list asks for the scope of the catalog instead. */
export type Purpose = 'list' | 'mount'

/** Who asks, and what they may do. A host program may replace any of these, never go round them. */
export interface AccessControl {
  /** Says who sends the request. Throw a `RegistryError` of `unauthorized` for credentials that are wrong. */
  readonly authenticate?: (request: RequestInfo) => Principal | Promise<Principal>
  /** Says whether `principal` may do it. Called for every request, by every route, before any state is touched. */
  readonly authorize?: (principal: Principal, action: Action, resource: Resource) => Verdict | Promise<Verdict>
  /**
   * The repositories a list may show to `principal`, and a mount that names no source may take a blob from. Default: all,
   * but none when there is an `authorize`, which could forbid what a list would show.
   */
  readonly visible?: (principal: Principal, purpose: Purpose) => RepositoryFilter | Promise<RepositoryFilter>
}

/** The one choke point: a grant comes from here or does not exist. */
export interface Access {
  authenticate(request: RequestInfo): Principal | Promise<Principal>
  authorize(principal: Principal, action: Action, resource: Resource): Grant | Promise<Grant>
  visible(principal: Principal, purpose: Purpose): RepositoryFilter | Promise<RepositoryFilter>
}

export const createAccess = (control: AccessControl, policies: Policies = {}): Access => ({
  authenticate: control.authenticate ?? (() => anonymous),
  authorize: (principal, action, resource) => {
    const { authorize } = control
    const verdict = authorize === undefined ? { allow: true as const } : authorize(principal, action, resource)
    return verdict instanceof Promise
      ? verdict.then((settled) => grant(policies, principal, action, resource, settled))
      : grant(policies, principal, action, resource, verdict)
  },
  visible:
    control.visible ?? (() => (control.authorize === undefined ? { kind: 'all' } : { kind: 'any-of', globs: [] })),
})

const grant = (
  policies: Policies,
  principal: Principal,
  action: Action,
  resource: Resource,
  verdict: Verdict,
): Grant => {
  if (!verdict.allow) throw refusal(verdict)
  // After the verdict: what a registry's policies are is nothing to who may not be here.
  assertPolicies(policies, action)
  const { repository } = resource
  const allowed = { actor: principal.name, action, repository, overwriteTags: verdict.overwriteTags ?? true }
  if (repository === undefined || (action !== 'push' && action !== 'delete')) return allowed
  const immutableTags = immutableTagsOf(policies, repository)
  const quotas = action === 'push' ? quotasOf(policies, principal, repository) : []
  return {
    ...allowed,
    ...(immutableTags.length > 0 && { immutableTags }),
    ...(quotas.length > 0 && { quotas }),
  }
}

const refusal = ({ challenge, login, reason }: Verdict & { allow: false }): RegistryError => {
  if (challenge !== undefined) {
    return new RegistryError('unauthorized', reason ?? 'Log in to do this.', { hints: { challenge } })
  }
  if (login !== undefined) {
    const why = login === 'required' ? 'Log in to do this.' : 'This token is for something else. Get one for this.'
    return new RegistryError('unauthorized', reason ?? why, { hints: { login } })
  }
  return new RegistryError('denied', reason ?? 'You may not do this. Ask who administers this registry.')
}
