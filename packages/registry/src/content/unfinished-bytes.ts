import type { Quota } from '../access/grant.ts'
import { matchesGlob } from '../access/permission.ts'

/** An upload, or the body of a single POST, that is not a blob yet. */
export interface Unfinished {
  readonly id: string
  readonly repository: string
  readonly actor: string
}

/**
 * How many bytes of unfinished uploads count for a quota. They are kept like those of blobs, and without this a limit would
 * hold for what is finished alone.
 *
 * In memory: an upload counts from its first byte in this process, or from when this process opened it again, to its end.
 * What other processes receive meanwhile is not known here; their blobs are.
 */
export interface UnfinishedBytes {
  /** The upload has so many bytes now. */
  set(upload: Unfinished, bytes: number): void
  /** The same for one that may not count at all. */
  change(id: string, bytes: number): void
  /** It is a blob now, or gone. */
  end(id: string): void
  /** Bytes of all but this one that count for the quota. */
  ofOthers(quota: Quota, id: string): number
  /** Forgets what has not changed since then and is not in hand: it ended in another process. */
  forget(before: number, inHand: (id: string) => boolean): void
}

interface Entry extends Unfinished {
  bytes: number
  changedAt: number
}

export const createUnfinishedBytes = (now: () => number): UnfinishedBytes => {
  const entries = new Map<string, Entry>()
  const ofActor = new Map<string, number>()
  /** Of the globs that were asked for: as many as there are quotas. */
  const ofGlob = new Map<string, number>()

  const add = ({ actor, repository }: Unfinished, bytes: number): void => {
    if (bytes === 0) return
    const sum = (ofActor.get(actor) ?? 0) + bytes
    if (sum === 0) ofActor.delete(actor)
    else ofActor.set(actor, sum)
    for (const [glob, matching] of ofGlob) if (matchesGlob(glob, repository)) ofGlob.set(glob, matching + bytes)
  }

  const sumOf = (quota: Quota): number => {
    if (quota.kind === 'actor') return ofActor.get(quota.actor) ?? 0
    let sum = ofGlob.get(quota.glob)
    if (sum === undefined) {
      sum = 0
      for (const entry of entries.values()) if (counts(quota, entry)) sum += entry.bytes
      ofGlob.set(quota.glob, sum)
    }
    return sum
  }

  const update = (entry: Entry, bytes: number): void => {
    add(entry, bytes - entry.bytes)
    entry.bytes = bytes
    entry.changedAt = now()
  }

  const end = (id: string): void => {
    const entry = entries.get(id)
    if (entry === undefined) return
    update(entry, 0)
    entries.delete(id)
  }

  return {
    set: ({ id, repository, actor }, bytes) => {
      let entry = entries.get(id)
      if (entry === undefined) {
        entry = { id, repository, actor, bytes: 0, changedAt: 0 }
        entries.set(id, entry)
      }
      update(entry, bytes)
    },
    change: (id, bytes) => {
      const entry = entries.get(id)
      if (entry !== undefined) update(entry, bytes)
    },
    end,
    ofOthers: (quota, id) => {
      const own = entries.get(id)
      return sumOf(quota) - (own !== undefined && counts(quota, own) ? own.bytes : 0)
    },
    forget: (before, inHand) => {
      for (const { id, changedAt } of entries.values()) if (changedAt < before && !inHand(id)) end(id)
    },
  }
}

const counts = (quota: Quota, { actor, repository }: Unfinished): boolean =>
  quota.kind === 'actor' ? quota.actor === actor : matchesGlob(quota.glob, repository)
