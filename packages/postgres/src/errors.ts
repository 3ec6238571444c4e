import type { MetadataErrorCode } from '@stowage/registry/metadata'
import { MetadataError } from '@stowage/registry/metadata'
import { DatabaseError } from 'pg'

const serializationFailure = '40001'
const deadlockDetected = '40P01'

/** The server has rolled the transaction back, and asks to be asked again. */
export const isWorthRepeating = (error: unknown): boolean =>
  error instanceof DatabaseError && (error.code === serializationFailure || error.code === deadlockDetected)

/** Errors of the machine as the port names them, others as they are. */
export const explain = (error: unknown): unknown => {
  if (!(error instanceof Error) || error instanceof MetadataError) return error
  const code = error instanceof DatabaseError ? classify(error.code ?? '') : 'UNAVAILABLE'
  return code === undefined ? error : new MetadataError(code, messages[code], { cause: error })
}

const messages: Readonly<Record<MetadataErrorCode, string>> = {
  OVERLOADED: 'PostgreSQL has too much to do, or another transaction holds what this one needs. Try again later.',
  STORAGE_FULL: 'There is no room on the disk of PostgreSQL.',
  UNAVAILABLE: 'PostgreSQL does not answer, or does not take writes. Whether this one happened is unknown.',
  WRITES_STOPPED: 'PostgreSQL takes no writes any more.',
  CLOSED: 'The metadata store has been closed.',
}

/** By SQLSTATE (PostgreSQL, appendix A). */
const classify = (state: string): MetadataErrorCode | undefined => {
  switch (state) {
    case '53100': // disk full
      return 'STORAGE_FULL'
    case '53200': // out of memory
    case '53300': // too many connections
    case '55P03': // lock not available, in time
    case serializationFailure:
    case deadlockDetected:
      return 'OVERLOADED'
    case '25006': // a standby, or a server in recovery
    case '25P03': // idle in transaction for too long
    case '57P01': // shut down
    case '57P02':
    case '57P03':
      return 'UNAVAILABLE'
    default:
      return state.startsWith('08') ? 'UNAVAILABLE' : undefined
  }
}
