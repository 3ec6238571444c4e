import type { SettingKey } from './config/settings.ts'

/** Why a start, or a command, came to nothing, with the code the command then exits with (those of BSD's sysexits). */
export const exitCodes = {
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
} as const

export type Failure = keyof typeof exitCodes

/** Something a person can put right. Its message says how; it is shown without a stack. */
export class StowageError extends Error {
  override readonly name = 'StowageError'
  readonly failure: Failure
  /** Every single problem, when there may be several. */
  readonly problems: readonly Problem[]

  constructor(failure: Failure, message: string, options: { problems?: readonly Problem[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.failure = failure
    this.problems = options.problems ?? []
  }
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
