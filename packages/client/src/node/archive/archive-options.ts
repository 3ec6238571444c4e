import type { Readable, Writable } from 'node:stream'
import type { HashFactory } from '@stowage/oci'
import type { CallOptions } from '../../content/ports.ts'

/** How an archive is opened. */
export interface ArchiveOptions extends CallOptions {
  /** Make the archive if there is none; `-` is then only written. */
  readonly create?: boolean
  /** Where hashes come from; `node:crypto` unless said. */
  readonly hash?: HashFactory
  /** What the path `-` reads; standard input unless said. */
  readonly input?: Readable
  /** What the path `-` writes; standard output unless said. */
  readonly output?: Writable
}
