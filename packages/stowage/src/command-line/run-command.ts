import type { CallOptions, TraceEvent } from '@stowage/client'
import { exitCodes } from '../failure.ts'
import { createOutput, type Output } from '../terminal/output.ts'
import { createProgress } from '../terminal/progress.ts'
import { createStatus, type Status } from '../terminal/status.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { createWrite, ReaderGone } from '../terminal/write.ts'
import {
  fromOptions,
  outputOptions,
  type OutputSettings,
  registryOptions,
  serverOptions,
  toOptions,
} from './common-options.ts'
import type { Environment } from './context.ts'
import { createConnections } from './connections.ts'
import type { ClientCommand } from './define.ts'
import type { Circumstances } from './explain.ts'
import type { Found } from './find-command.ts'
import { commandHelp } from './help.ts'
import { withLayouts } from './layout-arguments.ts'
import { type Parsed, parseArguments } from './parse.ts'
import { createPrompt } from './prompt.ts'

/** What a command line is run in. */
export interface Surroundings {
  readonly environment: Environment
  readonly terminal: Terminal
  /** Ends what is under way. */
  readonly signal: AbortSignal
}

type FoundCommand = Extract<Found, { kind: 'command' }>

/** Runs one command of the client. @returns its exit code; whatever went wrong was said on stderr */
export const runCommand = async (
  { listed, rest: argv, meant }: FoundCommand,
  surroundings: Surroundings,
): Promise<number> => {
  const { terminal, signal } = surroundings
  let status = createStatus(terminal.stderr, { quiet: false, tty: false })
  const command = await listed.load()
  let parsed: Parsed | undefined
  try {
    const end = argv.includes('--') ? argv.indexOf('--') : argv.length
    if (argv.slice(0, end).some((word) => word === '--help' || word === '-h')) {
      await createWrite(terminal.stdout)(commandHelp(listed, command))
      return 0
    }
    parsed = parseArguments(listed.name, command, argv)
    const settings = parsed.read(outputOptions)
    status = createStatus(terminal.stderr, { quiet: settings.quiet, tty: !settings.noTty })
    const format = command.formats?.find((word) => word === settings.format)
    const printed = format === undefined ? settings.format : undefined
    const output = createOutput(terminal.stdout, {
      format: settings.json ? 'json' : (printed ?? 'text'),
      formats: command.formats ?? [],
      status,
    })
    await runParsed(command, parsed, { ...surroundings, settings, status, output, format })
    return 0
  } catch (error) {
    status[Symbol.dispose]()
    if (error instanceof ReaderGone) return 0
    if (signal.aborted) {
      status.error(`stowage: Stopped. ${resumeOf(command, parsed?.args ?? [])}`)
      return exitCodes.interrupted
    }
    // Only now: it knows the client, and most command lines go well.
    const { explain } = await import('./explain.ts')
    const { lines, code } = explain(error, parsed === undefined ? {} : circumstancesOf(command, parsed))
    const guess = code === exitCodes.usage && meant !== undefined ? [`Did you mean stowage ${meant}?`] : []
    if (lines.length > 0) status.error(`stowage: ${[...lines, ...guess].join('\n  ')}`)
    return code
  } finally {
    status[Symbol.dispose]()
  }
}

const resumeOf = (
  { resume = 'Run the same command again to go on.' }: ClientCommand,
  args: readonly unknown[],
): string => (typeof resume === 'string' ? resume : resume(args))

/** What a hint has to know. */
const circumstancesOf = ({ sides }: ClientCommand, parsed: Parsed): Circumstances => {
  const given = ({ username, identityToken, identityTokenStdin, credentials }: CredentialSpecs): boolean => {
    const values = Object.values(parsed.read({ username, identityToken, identityTokenStdin, credentials }))
    return values.some((value) => value !== undefined && value !== false)
  }
  if (sides !== 'two') return { givesCredentials: () => sides === 'one' && given(registryOptions) }
  return {
    twoSided: true,
    givesCredentials: (side) => (side !== 'target' && given(fromOptions)) || (side !== 'source' && given(toOptions)),
  }
}

type CredentialSpecs = Pick<typeof registryOptions, 'username' | 'identityToken' | 'identityTokenStdin' | 'credentials'>

interface Running extends Surroundings {
  readonly settings: OutputSettings
  readonly format: string | undefined
  readonly status: Status
  readonly output: Output
}

const runParsed = async (command: ClientCommand, parsed: Parsed, running: Running): Promise<void> => {
  const { terminal, environment, signal, settings, status, output, format } = running
  const call: CallOptions & { signal: AbortSignal } = {
    signal,
    onRetry: (error) => status.line(`trying again: ${error.message}`),
  }
  const prompt = createPrompt(terminal, { tty: !settings.noTty, signal })
  await using connections = createConnections({
    parsed,
    environment,
    prompt,
    onWarning: (text, registry) =>
      status.line(registry === undefined ? `warning: ${text}` : `warning from ${registry}: ${text}`, 'yellow'),
    onTrace: settings.debug ? (event) => status.trace(traceLine(event)) : undefined,
  })
  await command.run({
    args: withLayouts(command, parsed),
    options: parsed.read(command.options),
    format,
    shared: connections.shared,
    connect: connections.connect,
    keep: connections.keep,
    connectAs: connections.connectAs,
    connectSides: connections.connectSides,
    registrySettings: connections.settings,
    serverSettings: parsed.read(serverOptions),
    output,
    progress: createProgress(status),
    prompt,
    call,
    terminal,
    environment,
  })
}

const traceLine = ({ method, url, status, took, attempt, error }: TraceEvent): string => {
  const again = attempt > 1 ? ` (try ${attempt})` : ''
  return `${method} ${url} ${status ?? error?.code ?? 'no answer'} ${Math.round(took)} ms${again}`
}
