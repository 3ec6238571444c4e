import type { Readable, Writable } from 'node:stream'

/** A stream that may be a terminal. */
export type TerminalOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number }
export type TerminalInput = Readable & { readonly isTTY?: boolean }

/** Where a command reads and writes. */
export interface Terminal {
  readonly stdin: TerminalInput
  readonly stdout: TerminalOutput
  readonly stderr: TerminalOutput
}
