import type { CopyEvent } from '@stowage/client'
import { escapeControls } from '../config/show.ts'
import { approximately } from './bytes.ts'
import type { Status } from './status.ts'

/**
 * What is under way: on a terminal a bar for each blob, all at once; elsewhere a line for each that is done.
 *
 * Keys are digests, or whatever tells one from another.
 */
export interface Progress {
  /** Something that will take a while. @param size bytes, if they are known */
  begin(key: string, size: number | undefined, label?: string): void
  /** @param sent bytes so far; it may fall. */
  move(key: string, sent: number): void
  /**
   * @param outcome one word: `copied`, `existing`, `mounted`
   * @param silent it is said elsewhere
   */
  done(key: string, outcome: string, silent?: boolean): void
  /** Something that has no end that is known: how long it takes already. @param label what is being done */
  working(label: string | (() => string)): Disposable
}

interface Bar {
  readonly label: string
  readonly size: number | undefined
  sent: number
  moving: boolean
  readonly began: number
}

export const createProgress = (status: Status): Progress => {
  const bars = new Map<string, Bar>()
  let finished = 0
  let found = 0

  const rows = (width: number): string[] => {
    if (bars.size === 0) return []
    const moving = [...bars.values()].filter((bar) => bar.moving)
    const drawn = moving.map((bar) => barRow(bar, width).slice(0, width))
    return [
      ...drawn.map((row) => row.replace(/=+/, (filled) => status.paint('green', filled))),
      `${finished} of ${found} done`,
    ]
  }

  return {
    begin(key, size, label = shortKey(key)) {
      if (!bars.has(key)) found++
      bars.set(key, { label: escapeControls(label), size, sent: 0, moving: false, began: performance.now() })
    },
    move(key, sent) {
      const bar = bars.get(key)
      if (bar === undefined) return
      bar.sent = sent
      bar.moving = true
      status.rows(rows)
    },
    done(key, outcome, silent = false) {
      const bar = bars.get(key)
      if (bar === undefined) return
      bars.delete(key)
      finished++
      const size = bar.size ?? bar.sent
      if (!silent) status.line(`${outcome.padEnd(9)} ${bar.label}  ${approximately(size)}`, 'green')
      status.rows(rows)
    },
    working(label) {
      const began = performance.now()
      const draw = (): void =>
        status.rows((width) => {
          const what = typeof label === 'string' ? label : label()
          return [`${what} … ${Math.round((performance.now() - began) / 1000)} s`.slice(0, width)]
        })
      const timer = setInterval(draw, 1000)
      return {
        [Symbol.dispose]() {
          clearInterval(timer)
          status.rows(() => [])
        },
      }
    },
  }
}

/**
 * Shows the events of a copy until it ends, and throws what it fails with.
 *
 * @example await followCopy(job, progress, output); const result = await job.result
 */
export const followCopy = async (
  job: AsyncIterable<CopyEvent>,
  progress: Progress,
  { line }: Pick<Status, 'line'>,
): Promise<void> => {
  for await (const event of job) {
    if (event.type === 'found' && event.role === 'blob') progress.begin(event.descriptor.digest, event.descriptor.size)
    if (event.type === 'progress') progress.move(event.descriptor.digest, event.sent)
    if (event.type === 'done' && event.role === 'blob') progress.done(event.descriptor.digest, event.outcome)
    if (event.type === 'retry') line(`trying again: ${event.error.message}`)
    if (event.type === 'missing') line(`not there: ${event.descriptor.digest}, though listed as a referrer`)
  }
}

/** A digest as people tell it from others. */
const shortKey = (key: string): string => key.replace(/^([a-z0-9]+:[0-9a-f]{12})[0-9a-f]+$/, '$1')

const widestBar = 24
const narrowestBar = 4

/** The bar has what room the numbers leave: they say more. */
const barRow = ({ label, size, sent, began }: Bar, width: number): string => {
  const seconds = (performance.now() - began) / 1000
  const speed = seconds < 0.5 ? '' : `  ${approximately(sent / seconds)}/s`
  if (size === undefined || size === 0) return `${label}  ${approximately(sent)}${speed}`
  const part = Math.min(1, sent / size)
  const numbers = `${String(Math.floor(part * 100)).padStart(3)} %  ${approximately(sent)} of ${approximately(size)}${speed}`
  const barWidth = Math.min(widestBar, width - label.length - numbers.length - '  [] '.length)
  if (barWidth < narrowestBar) return `${label} ${numbers}`
  const filled = Math.round(part * barWidth)
  const bar = `${'='.repeat(filled)}${' '.repeat(barWidth - filled)}`
  return `${label}  [${bar}] ${numbers}`
}
