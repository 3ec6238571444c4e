import type { Digest } from '@stowage/oci'

export interface BackupReport {
  /** Files of blobs in the backup. */
  readonly blobs: number
  /** Bytes of those. */
  readonly bytes: number
  /** How many of them are hard links to the files of the registry; the others are copies. */
  readonly linked: number
  /** Blobs that were deleted from the registry while the backup was made. The restored registry says that it does not have them. */
  readonly gone: number
  /**
   * Blobs whose files are missing or have the wrong size in the registry itself; the first thousand. The restored registry says
   * that it does not have them, until a push brings them again.
   */
  readonly damaged: readonly { readonly digest: Digest; readonly key: string; readonly problem: 'missing' | 'size' }[]
}

/** A backup cannot be made as it was asked for; the message says why, and what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly code = 'BACKUP_UNUSABLE'
}
