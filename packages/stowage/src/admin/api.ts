import type { RegistryStatus, SweepResult } from '@stowage/registry'

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
  readonly connections: number
  readonly requestsInFlight: number
  readonly registry: RegistryStatus
}

/** What each operation takes and gives. */
export interface AdminOperations {
  status(): Promise<ServerStatus>
  sweep(): Promise<SweepResult>
}

export const adminRoutes = {
  status: { method: 'GET', path: '/v1/status' },
  sweep: { method: 'POST', path: '/v1/sweep' },
} as const satisfies Record<keyof AdminOperations, { method: string; path: string }>

export interface AdminError {
  readonly error: { readonly code: 'not-found' | 'method-not-allowed' | 'failed'; readonly message: string }
}
