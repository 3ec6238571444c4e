import { escapeControls } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import type { TerminalOutput } from './terminal.ts'

/** Whoever read this program's output has gone: `stowage ls … | head`. Nothing is wrong, and nothing more is wanted. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
}

/** Writes, and waits until it is written: what cannot be is no success. */
export type Write = (chunk: string | Uint8Array) => Promise<void>

/** Writes to stdout. @throws {ReaderGone}; {StowageError} `failed`, as when the disk is full */
export const createWrite = (stream: TerminalOutput): Write => {
  let failure: Error | undefined
  const fail = (error: Error): void => {
    failure ??= (error as NodeJS.ErrnoException).code === 'EPIPE' ? new ReaderGone() : unwritable(error)
  }
  stream.on('error', fail)
  return async (chunk) => {
    if (failure !== undefined) throw failure
    await new Promise<void>((resolve) => {
      stream.write(chunk, (error) => {
        if (error) fail(error)
        resolve()
      })
    })
    if (failure !== undefined) throw failure
  }
}

/** `ENOSPC: no space left on device, write` without what is for programmers. */
const unwritable = (error: Error): StowageError => {
  const reason = error.message.replace(/^[A-Z0-9]+: /, '').replace(/, write$/, '')
  return new StowageError('failed', `stdout: ${reason}.`, { cause: error })
}

/** Text of others, of one line or several, as a terminal may show it. */
export const printable = (text: string): string =>
  text
    .split(/([\n\t])/)
    .map(escapeExceptBreaks)
    .join('')

const escapeExceptBreaks = (part: string): string => (part === '\n' || part === '\t' ? part : escapeControls(part))
