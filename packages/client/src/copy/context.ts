import type { Descriptor } from '@stowage/oci'
import type { ClientError } from '../errors.ts'
import type { CheckedCopyOptions } from './check-options.ts'
import type { CopyOutcome, CopyRole } from './events.ts'
import type { CopySource, CopyTarget } from './options.ts'

/** What the parts of one copy share. */
export interface CopyContext {
  readonly from: CopySource
  readonly to: CopyTarget
  readonly options: CheckedCopyOptions
  readonly signal: AbortSignal
  readonly found: (role: CopyRole, descriptor: Descriptor) => void
  readonly done: (role: CopyRole, descriptor: Descriptor, outcome: CopyOutcome) => void
  readonly progress: (descriptor: Descriptor, sent: number) => void
  readonly missing: (descriptor: Descriptor) => void
  readonly retry: (descriptor: Descriptor | undefined) => (error: ClientError) => void
  /** Ends what is under way, because of this. */
  readonly fail: (error: unknown) => void
}
