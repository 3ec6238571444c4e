/** One thing that must hold, put to the test with a registry that runs as people run it. */
export interface Row {
  /** For the command line and the file of the result: `kill`. */
  readonly name: string
  /** For the table. */
  readonly title: string
  /** How it is done, in a sentence or two, for RELIABILITY.md. */
  readonly method: string
  /** Whether it speaks only OCI HTTP and a data directory, so that it runs on other registries too. */
  readonly portable: boolean
  /** A control breaks the registry on purpose: it is as it should be when it finds failures. */
  readonly control?: boolean
  /** Not in the small run, unless it is named. */
  readonly onlyFull?: boolean
  run(context: RowContext): Promise<RowOutcome>
}

export interface RowContext {
  readonly size: 'small' | 'full'
  readonly registry: RegistryName
  /** An empty directory of the row's own; it is removed afterwards. */
  readonly directory: string
  /** Whatever a row chooses at random it derives from this, so that a failure can be had again. */
  readonly seed: number
  /** A line for who watches. */
  readonly say: (line: string) => void
  /** Aborts when the run is interrupted: end what was started, and reject. */
  readonly signal: AbortSignal
}

export type RegistryName = 'stowage' | 'docker-registry'

export interface RowOutcome {
  /** What was counted and measured, in the order of the table: `{ cycles: 1000, 'acknowledged writes': 61234, lost: 0 }`. */
  readonly figures: Readonly<Record<string, number | string>>
  /** What should not have been, a sentence each, at most a hundred. None: the row holds. */
  readonly failures: readonly string[]
}
