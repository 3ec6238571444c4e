import type { RowResult } from '../result.ts'

export interface ClientRowContext {
  readonly rounds: number
  /** A directory of the row's own. */
  readonly directory: string
  readonly say: (text: string) => void
}

export interface ClientRow {
  /** What `--rows` calls it. */
  readonly id: string
  readonly title: string
  readonly run: (context: ClientRowContext) => Promise<readonly RowResult[]>
}
