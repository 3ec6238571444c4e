/**
 * What a client run is made of: a {@link Client} gets a {@link ClientContext} and reports named checks through it.
 *
 * A check is one named group of assertions. `check` goes on after a failure, so that one fault of the registry does not
 * hide the next one; `step` throws, for what the rest of the run stands on. Both are counted.
 */
import { randomBytes } from 'node:crypto'

/** Which form of `Location` the registry under test answers with. */
export type LocationMode = 'relative' | 'absolute'

export interface ClientContext {
  /** Base URL of the registry, without a trailing slash: `http://127.0.0.1:5000`. */
  readonly url: string
  /** What clients write in front of a repository: `127.0.0.1:5000`. */
  readonly host: string
  readonly port: number
  readonly mode: LocationMode
  /** An empty directory of this client's own, removed after the run. */
  readonly workDir: string
  /** Size in bytes of the one large layer that a client pushes and pulls. */
  readonly largeLayerBytes: number
  /** Aborted on Ctrl-C; every program a client starts ends with it. */
  readonly signal: AbortSignal
  readonly log: (line: string) => void
  /** A repository name that no earlier run has used, so that a run can be repeated against the same registry. */
  readonly repository: (name: string) => string
  /** Reports a check and goes on whatever its outcome. */
  readonly check: (name: string, body: () => unknown) => Promise<void>
  /** Reports a check and returns its value; ends this client's run with {@link StepFailed} when it fails. */
  readonly step: <T>(name: string, body: () => T | Promise<T>) => Promise<T>
}

export interface Client {
  readonly name: string
  /** The forms of `Location` this client is run against. */
  readonly modes: readonly LocationMode[]
  /** Rejects with `MissingPrerequisite` when a program it needs is not there: never passes without having run. */
  run(context: ClientContext): Promise<void>
}

/** A failed step: already reported, so whoever catches it has nothing to add. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

/** Counts checks and prints a line for each. */
export interface Report {
  readonly passed: number
  readonly failed: number
  readonly failures: readonly string[]
  ok(name: string, milliseconds?: number): void
  fail(name: string, cause: unknown): void
}

export function createReport(print: (line: string) => void = console.log): Report {
  let passed = 0
  const failures: string[] = []
  return {
    get passed() {
      return passed
    },
    get failed() {
      return failures.length
    },
    get failures() {
      return failures
    },
    ok(name, milliseconds) {
      passed += 1
      print(`ok      ${name}${milliseconds === undefined ? '' : ` (${seconds(milliseconds)})`}`)
    },
    fail(name, cause) {
      failures.push(name)
      print(`FAILED  ${name}`)
      print(indent(describe(cause)))
    },
  }
}

export interface ContextOptions {
  readonly client: string
  readonly url: string
  readonly mode: LocationMode
  /** Stands behind the name of the client in reports; `mode` unless said. */
  readonly label?: string
  readonly workDir: string
  readonly largeLayerBytes: number
  readonly signal: AbortSignal
  readonly report: Report
  readonly log: (line: string) => void
}

export function createContext(options: ContextOptions): ClientContext {
  const { client, mode, label = mode, report, signal } = options
  const { host, port, protocol } = new URL(options.url)
  const run = `${client}-${randomBytes(4).toString('hex')}`
  const step = async <T>(name: string, body: () => T | Promise<T>): Promise<T> => {
    signal.throwIfAborted()
    const title = `${client} (${label}): ${name}`
    const started = performance.now()
    try {
      const value = await body()
      report.ok(title, performance.now() - started)
      return value
    } catch (cause) {
      // Whatever a program says when it is ended by Ctrl-C is no finding about the registry.
      signal.throwIfAborted()
      report.fail(title, cause)
      throw new StepFailed(title, { cause })
    }
  }
  return {
    url: options.url.replace(/\/+$/, ''),
    host,
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
    mode,
    workDir: options.workDir,
    largeLayerBytes: options.largeLayerBytes,
    signal,
    log: options.log,
    repository: (name) => `${run}/${name}`,
    step,
    async check(name, body) {
      try {
        await step(name, body)
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error
      }
    },
  }
}

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.cause instanceof Error ? `${cause.message}\n${describe(cause.cause)}` : cause.message
}

const indent = (text: string): string => text.replace(/^/gm, '        ')
