import { PassThrough, Readable } from 'node:stream'
import { listedCommands } from '../commands/list.ts'
import { explain } from '../command-line/explain.ts'
import { runClient } from '../command-line/run-client.ts'
import type { Environment } from '../command-line/context.ts'

export interface ClientOptions {
  /** What is piped into the command. Default: nothing. */
  readonly stdin?: string | Uint8Array | Readable
  /** Keys that a person presses, each when the command waits for one. stdin and stderr are a terminal then. */
  readonly keys?: readonly string[]
  /** stdout and stderr are a terminal. */
  readonly tty?: boolean
  readonly environment?: Environment
  readonly signal?: AbortSignal
}

export interface ClientResult {
  readonly code: number
  readonly stdout: string
  /** The same, before it was decoded. */
  readonly bytes: Buffer
  readonly stderr: string
}

/**
 * A command line of the client, or of one on accounts, in this process: what it prints is gathered. It sees nothing of this machine's environment or
 * credentials, for its home is nowhere.
 */
export const runClientCommand = async (
  argv: readonly string[],
  { stdin = '', keys, tty = false, environment = {}, signal = new AbortController().signal }: ClientOptions = {},
): Promise<ClientResult> => {
  const [stdout, stderr] = [gather(tty), gather(tty || keys !== undefined)]
  const terminal = {
    stdin: keys === undefined ? piped(stdin) : keyboard(keys, stderr),
    stdout: stdout.stream,
    stderr: stderr.stream,
  }
  let code: number | undefined
  try {
    code = await runClient(listedCommands, argv, () => ({
      environment: { HOME: '/nowhere', ...environment },
      terminal,
      signal,
    }))
  } catch (error) {
    const said = explain(error)
    terminal.stderr.write(`stowage: ${said.lines.join('\n  ')}\n`)
    code = said.code
  }
  if (code === undefined) throw new Error(`${argv[0]} is no command of the client`)
  const bytes = stdout.bytes()
  return { code, stdout: bytes.toString('utf8'), bytes, stderr: stderr.bytes().toString('utf8') }
}

const piped = (stdin: string | Uint8Array | Readable): Readable => {
  if (stdin instanceof Readable) return stdin
  return Readable.from(stdin.length === 0 ? [] : [Buffer.from(stdin)])
}

interface Gathered {
  readonly stream: PassThrough & { isTTY?: boolean }
  bytes(): Buffer
}

const gather = (isTTY: boolean): Gathered => {
  const parts: Buffer[] = []
  const stream = Object.assign(new PassThrough(), isTTY ? { isTTY, columns: 100, rows: 40 } : {})
  stream.on('data', (part: Buffer) => parts.push(part))
  return { stream, bytes: () => Buffer.concat(parts) }
}

/** Presses the next key each time something new was asked. */
const keyboard = (keys: readonly string[], { stream }: Gathered): Readable => {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input })
  const waiting = [...keys]
  let timer: ReturnType<typeof setTimeout> | undefined
  stream.on('data', () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      const key = waiting.shift()
      if (key !== undefined) input.write(key)
    }, 20)
  })
  return input
}
