import type { Content } from '../image.ts'
import type { DiskEvent, Image } from './image.ts'
import { isDurable, type Write } from './recorded-metadata.ts'

/** What a client may count on. */
export type Expectation =
  | {
      readonly kind: 'blob'
      readonly repository: string
      readonly content: Content
      /** `maybe`: a request about it is under way, or was cut off. `damaged`: its bytes went bad before. */
      readonly state: 'present' | 'absent' | 'maybe' | 'damaged'
    }
  | {
      readonly kind: 'tag'
      readonly repository: string
      readonly tag: string
      /** What it may name; `undefined`: it may be absent. */
      readonly manifests: readonly (Content | undefined)[]
    }
  | {
      readonly kind: 'upload'
      readonly repository: string
      readonly location: string
      /** What its client means to send. */
      readonly content: Content
      readonly state: 'open' | 'over'
    }

export type Entry =
  | { readonly kind: 'disk'; readonly event: DiskEvent }
  | { readonly kind: 'submitted'; readonly write: Write }
  /** The write of this index in the whole history was acknowledged, or refused. */
  | { readonly kind: 'settled'; readonly index: number }
  | { readonly kind: 'expected'; readonly key: string; readonly expectation: Expectation }

export type Expectations = ReadonlyMap<string, Expectation>

/** What happened from one start after a power cut to the next cut. */
export interface Segment {
  readonly image: Image
  /** Writes that the database had. */
  readonly writes: readonly Write[]
  readonly expectations: Expectations
  readonly startedAt: number
  readonly log: Entry[]
}

/**
 * Which databases a power cut may leave: prefixes of the writes that were submitted. What was acknowledged as durable is in
 * all of them, and so is what was committed before it.
 */
export interface Versions {
  apply(entry: Entry): void
  readonly writes: readonly Write[]
  /** How many writes are in it, for each. */
  possible(): readonly number[]
}

export const createVersions = (base: readonly Write[]): Versions => {
  const writes = [...base]
  let least = base.length
  return {
    apply: (entry) => {
      if (entry.kind === 'submitted') writes.push(entry.write)
      if (entry.kind !== 'settled') return
      const write = writes[entry.index]
      if (write !== undefined && isDurable(write)) least = Math.max(least, entry.index + 1)
    },
    writes,
    possible: () => Array.from({ length: writes.length - least + 1 }, (_, index) => least + index),
  }
}

/** Whether a state that was right before may be wrong now. */
export const isStricter = ({ expectation }: Extract<Entry, { kind: 'expected' }>): boolean =>
  expectation.kind === 'blob'
    ? expectation.state === 'present' || expectation.state === 'absent'
    : expectation.kind === 'tag'
      ? expectation.manifests.length === 1
      : expectation.state === 'open'
