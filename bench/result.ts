/** What one server (or one state of a server) did in a row of the bench, a measurement a round. */
export interface Series {
  readonly name: string
  /** The warm-up round: kept to be looked at, never counted. */
  readonly warmUp: Sample
  readonly rounds: readonly Sample[]
}

export interface Sample {
  /** In the unit of the row. */
  readonly value: number
  /** Further figures of the same measurement, each named with its unit, such as `p99 ms`. */
  readonly detail: Readonly<Record<string, number>>
}

export type Unit = 'requests/s' | 'bytes/s' | 'images/s' | 'ms' | 'bytes'

/** A bound that is set for one series, alone or against another series of the same row. */
export interface Target {
  readonly subject: string
  /** Absent: the bound is an amount in the unit of the row. */
  readonly peer?: string
  readonly direction: 'at least' | 'at most'
  readonly bound: number
}

export interface RowResult {
  readonly id: string
  readonly title: string
  readonly unit: Unit
  readonly series: readonly Series[]
  readonly targets: readonly Target[]
  readonly notes: readonly string[]
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  readonly disk: string
  readonly fileSystem: string
  /** Median of a 4 KiB write followed by fsync, in milliseconds, where the servers keep their data. */
  readonly fsyncMs: number
  readonly loadAverageAtStart: readonly number[]
  /** Share of the processor time that the hypervisor gave to others during the run, 0 to 1. */
  readonly stolenCpu: number
  readonly versions: Readonly<Record<string, string>>
}

export interface BenchResult {
  readonly startedAt: string
  readonly finishedAt: string
  readonly command: string
  readonly commit: string
  readonly rounds: number
  /** Length of one load; absent where a round ends when the work is done. */
  readonly seconds?: number
  readonly machine: Machine
  readonly rows: readonly RowResult[]
  /** Peers that were left out, each with the reason. */
  readonly absent: readonly string[]
  /** How each server was set up. */
  readonly setup: Readonly<Record<string, string>>
}

export function values(series: Series): number[] {
  return series.rounds.map((sample) => sample.value)
}
