import type { Permission } from './permission.ts'

/** Who sends a request. */
export interface Principal {
  /** `workload`: a job of a trusted OIDC issuer, or the holder of an external token server's token. */
  readonly kind: 'anonymous' | 'user' | 'workload'
  /**
   * As it appears in events and logs; `anonymous` for nobody in particular, `<issuer>:<subject>` for a workload. It owns
   * uploads: no two principals have the same.
   */
  readonly name: string
  readonly groups?: readonly string[]
  /** May do everything that policies leave possible. */
  readonly administrator?: boolean
  /** Allowed besides what the rules allow. */
  readonly own?: readonly Permission[]
  /**
   * Narrows everything else: an action must be permitted by each of these lists (by one of its members). A personal token's
   * permissions are one, the scopes of a Bearer token another.
   */
  readonly within?: readonly Within[]
}

export interface Within {
  readonly permissions: readonly Permission[]
  /** `scopes` of a Bearer token: another token could have more, so the answer is a 401 that says which. */
  readonly kind: 'token' | 'scopes'
  /** Of scopes: whether they include the list of repositories (`registry:catalog:*`). */
  readonly catalog?: boolean
}

export const anonymous: Principal = { kind: 'anonymous', name: 'anonymous' }
