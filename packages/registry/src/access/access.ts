import { RegistryError } from '../errors.ts'
import type { Action, Grant, RepositoryFilter } from './grant.ts'

/** Who sends a request. */
export interface Principal {
  readonly kind: 'anonymous' | 'user'
  /** As it appears in events and logs; `anonymous` for nobody in particular. */
  readonly name: string
}

export const anonymous: Principal = { kind: 'anonymous', name: 'anonymous' }

/** What a host's `authenticate` sees of a request: no object of any web framework. */
export interface RequestInfo {
  readonly method: string
  readonly path: string
  readonly remoteAddress: string | undefined
  header(name: string): string | null
}

/** What the request wants to act on. */
export interface Resource {
  readonly repository: string | undefined
  /**
   * The tag that is to be read, set, moved or deleted; a push that sets several tags asks once for each. A `delete` without
   * one is of a blob, or of a manifest with every tag that names it.
   */
  readonly tag?: string
}

/** The verdict of a host's `authorize`. */
export type Verdict =
  | { readonly allow: true; readonly overwriteTags?: boolean }
  /** `challenge` is sent as `WWW-Authenticate` with a 401; without it the answer is a 403. */
  | { readonly allow: false; readonly challenge?: string; readonly reason?: string }

/** A host program may replace either of these, never go round them. */
export interface AccessControl {
  /** Says who sends the request. Throw a `RegistryError` of `unauthorized` for credentials that are wrong. */
  readonly authenticate?: (request: RequestInfo) => Principal | Promise<Principal>
  /** Says whether `principal` may do it. Called for every request, by every route, before any state is touched. */
  readonly authorize?: (principal: Principal, action: Action, resource: Resource) => Verdict | Promise<Verdict>
  /**
   * The repositories a list may show to `principal`, and a mount that names no source may take a blob from. Default: all,
   * but none when there is an `authorize`, which could forbid what a list would show.
   */
  readonly visible?: (principal: Principal) => RepositoryFilter | Promise<RepositoryFilter>
}

/** The one choke point: a grant comes from here or does not exist. */
export interface Access {
  authenticate(request: RequestInfo): Principal | Promise<Principal>
  authorize(principal: Principal, action: Action, resource: Resource): Grant | Promise<Grant>
  visible(principal: Principal): RepositoryFilter | Promise<RepositoryFilter>
}

export const createAccess = (control: AccessControl): Access => ({
  authenticate: control.authenticate ?? (() => anonymous),
  authorize: (principal, action, resource) => {
    const { authorize } = control
    if (authorize === undefined) return grant(principal, action, resource, { allow: true })
    const verdict = authorize(principal, action, resource)
    return verdict instanceof Promise
      ? verdict.then((settled) => grant(principal, action, resource, settled))
      : grant(principal, action, resource, verdict)
  },
  visible:
    control.visible ?? (() => (control.authorize === undefined ? { kind: 'all' } : { kind: 'any-of', globs: [] })),
})

const grant = (principal: Principal, action: Action, resource: Resource, verdict: Verdict): Grant => {
  if (verdict.allow) {
    return {
      actor: principal.name,
      action,
      repository: resource.repository,
      overwriteTags: verdict.overwriteTags ?? true,
    }
  }
  if (verdict.challenge !== undefined) {
    throw new RegistryError('unauthorized', verdict.reason ?? 'Log in to do this.', {
      hints: { challenge: verdict.challenge },
    })
  }
  throw new RegistryError('denied', verdict.reason ?? 'You may not do this. Ask who administers this registry.')
}
