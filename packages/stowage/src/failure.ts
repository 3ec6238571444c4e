import type { SettingKey } from './config/settings.ts'

/**
 * Why a start, or a command, came to nothing, with the code the command then exits with. From 64 on they are those of BSD's
 * sysexits; the small ones are of commands that speak to registries.
 */
export const exitCodes = {
  /** A registry, layout or archive says no, for a reason that has no code of its own. */
  failed: 1,
  /** There is no such repository, manifest, tag, blob or file. */
  'not-found': 3,
  /** The registry does not know who asks. */
  unauthorized: 4,
  /** Who asks may not do this. */
  denied: 5,
  /** The registry was asked too much. */
  'rate-limited': 6,
  /** Bytes are not those of their digest. */
  'digest-mismatch': 7,
  /** No connection, one that broke, or one on which nothing came. */
  network: 8,
  /** `stowage doctor` or `stowage scrub` found something wrong in the registry. */
  problems: 9,
  /** The command line was not understood. */
  usage: 64,
  /** There is no data directory to look at. */
  'no-data': 66,
  /** The address cannot be listened on, or the running server does not answer. */
  unavailable: 69,
  /** A defect: the log has the details. */
  internal: 70,
  /** The data directory cannot be made, read or written. */
  data: 73,
  /** Another process uses the data directory. */
  locked: 75,
  /** The configuration is wrong, or asks for what is refused. */
  configuration: 78,
  /** Ctrl-C, or SIGTERM. */
  interrupted: 130,
} as const

export type Failure = keyof typeof exitCodes

/**
 * Something a person can put right. Its message says how; it is shown without a stack. An empty message: the result of the
 * command has said it, and only the exit code is left to tell.
 */
export class StowageError extends Error {
  override readonly name = 'StowageError'
  readonly failure: Failure
  /** Every single problem, when there may be several. */
  readonly problems: readonly Problem[]
  readonly hint: string | undefined

  constructor(failure: Failure, message: string, options: StowageErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.failure = failure
    this.problems = options.problems ?? []
    this.hint = options.hint
  }
}

export interface StowageErrorOptions {
  readonly problems?: readonly Problem[]
  /** What to try, as one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

export interface Problem {
  /** The setting it is about. */
  readonly key?: SettingKey
  /** `stowage.yaml:3:5`, `STOWAGE_DATA` or `--data`. */
  readonly where?: string
  readonly message: string
}

export const configurationError = (problems: readonly Problem[]): StowageError => {
  const lines = problems.map(({ where, message }) => (where === undefined ? message : `${where}: ${message}`))
  const [first = ''] = lines
  const message =
    lines.length === 1
      ? first
      : `The configuration has ${lines.length} problems:\n${lines.map((line) => `  ${line}`).join('\n')}`
  return new StowageError('configuration', message, { problems })
}
