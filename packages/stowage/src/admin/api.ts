import type { AccountErrorCode, RegistryStatus, SweepResult } from '@stowage/registry'
import type { LastRuns } from '../server/upkeep-record.ts'

/**
 * The administration API: JSON over HTTP on a Unix socket in the data directory. Only the server's own user can connect, and
 * whoever can may do everything; there is no further authentication. `docs/administration.md` describes it.
 */
export interface ServerStatus {
  readonly version: string
  /** Process id. */
  readonly pid: number
  /** ISO 8601. */
  readonly startedAt: string
  readonly url: string
  readonly data: string
  /** False while the server shuts down. */
  readonly ready: boolean
  /** Whether clients have to log in. */
  readonly auth: boolean
  readonly connections: number
  readonly requestsInFlight: number
  readonly registry: RegistryStatus
  /** The last run of each kind since the server was started. */
  readonly upkeep: LastRuns
}

/** What each operation gives that takes nothing. Others: `account-operations.ts`, `upkeep-operations.ts`. */
export interface AdminOperations {
  status(): Promise<ServerStatus>
  sweep(): Promise<SweepResult>
}

export const adminRoutes = {
  status: { method: 'GET', path: '/v1/status' },
  sweep: { method: 'POST', path: '/v1/sweep' },
} as const satisfies Record<keyof AdminOperations, { method: string; path: string }>

/** Before the name of an operation that takes something, which is posted as JSON. */
export const accountsPath = '/v1/accounts/'
export const upkeepPath = '/v1/upkeep/'

export type AdminErrorCode =
  | 'not-found'
  | 'method-not-allowed'
  | 'media-type'
  | 'too-large'
  /** By a policy of the registry, which holds for administrators, too. */
  | 'refused'
  /** What shall be written or read cannot be: a full disk, a place where the server may not write. */
  | 'storage'
  | 'failed'
  | AccountErrorCode

export interface AdminError {
  readonly error: {
    readonly code: AdminErrorCode
    readonly message: string
    /** The member of the body that is wrong. */
    readonly field?: string
  }
}
