import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Content } from '@stowage/client'
import { fileContent } from '@stowage/client/node'
import { StowageError } from '../failure.ts'
import type { TerminalInput } from '../terminal/terminal.ts'

/** What a command is given to send. It is gone when it is disposed of, if it was made for that. */
export interface Input extends AsyncDisposable {
  readonly content: Content
}

/**
 * A file, or stdin for `-`. What comes from stdin is kept in a file for the while, because sending may begin again, and because
 * its digest is known only at its end.
 */
export const openInput = async (file: string, stdin: TerminalInput, signal: AbortSignal): Promise<Input> => {
  if (file !== '-') return { content: await fileContent(file), [Symbol.asyncDispose]: async () => {} }
  if (stdin.isTTY === true)
    throw new StowageError('usage', 'stdin is a terminal: pipe the bytes into it, or name a file.')
  const directory = await mkdtemp(join(tmpdir(), 'stowage-'))
  const remove = async (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    const kept = join(directory, 'stdin')
    await pipeline(stdin as Readable, createWriteStream(kept, { mode: 0o600 }), { signal })
    return { content: await fileContent(kept), [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}
