import { readdirSync, readlinkSync } from 'node:fs'
import { memoryOf } from '../../bench/proc.ts'

/** Looks whether a server grows: at its resident memory after a warm-up and at the end, and at its sockets. */
export interface MemoryWatch {
  /** Does nothing where the process is gone: that is found elsewhere. @param done The part of the work that is done, from 0 to 1. */
  sample(done: number): void
  /** Bytes from the median of the warm time to that of the end; undefined when the work ended before. */
  growth(): number | undefined
  /** @param sockets Whether all connections have ended, so that none may be left. */
  problems(sockets: boolean): string[]
}

/** Share of the work after which caches are full and the code is compiled, and the span of each look. */
const warm = { from: 0.3, to: 0.4 }
const late = { from: 0.9, to: 1.1 }

/**
 * What a server may grow between the two looks without anything having leaked. A million requests are long enough for caches to be
 * full and memory to have found its size: 64 MiB there are 67 bytes a request. A small run ends in the middle of that, and finds
 * only what leaks tens of kilobytes each time.
 */
const mostGrowth = { small: 256 * 2 ** 20, full: 64 * 2 ** 20 } as const

/** The listener, the socket of the administration, and what may just be closing. */
const mostSockets = 5

export const createMemoryWatch = (pid: number, size: keyof typeof mostGrowth): MemoryWatch => {
  const most = mostGrowth[size]
  const samples: { readonly done: number; readonly resident: number }[] = []
  const growth = (): number | undefined => {
    const [before, after] = [medianIn(samples, warm), medianIn(samples, late)]
    return before === undefined || after === undefined ? undefined : after - before
  }
  return {
    sample: (done) => {
      try {
        samples.push({ done, resident: memoryOf(pid).resident })
      } catch {
        // Gone.
      }
    },
    growth,
    problems: (sockets) => {
      const grown = growth() ?? 0
      const open = sockets ? socketsOf(pid) : 0
      return [
        ...(grown > most
          ? [`the memory grew by ${Math.round(grown / 2 ** 20)} MiB after the warm-up; ${most / 2 ** 20} are allowed`]
          : []),
        ...(open > mostSockets ? [`${open} sockets are open when all connections have ended`] : []),
      ]
    },
  }
}

const medianIn = (
  samples: readonly { readonly done: number; readonly resident: number }[],
  { from, to }: { readonly from: number; readonly to: number },
): number | undefined => {
  const within = samples.filter(({ done }) => done >= from && done < to).map(({ resident }) => resident)
  const sorted = within.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)]
}

const socketsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/fd`).filter((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`).startsWith('socket:')
    } catch {
      // Closed meanwhile.
      return false
    }
  }).length

/** For figures. */
export const inMebibytes = (bytes: number | undefined): number | string =>
  bytes === undefined ? 'not measured' : Math.round(bytes / 2 ** 20)
