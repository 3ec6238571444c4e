import type { Digest } from '@stowage/oci'
import type { RemovedTag, RestoreTagResult } from '../metadata/upkeep-store.ts'

/**
 * The work that keeps a registry in order while it is served. Each run goes in small steps between which pushes and pulls get
 * their turn; it ends early, with what it did so far, when its signal aborts. Two runs of one kind never overlap: who asks
 * while one is under way waits, and then has his own.
 */
export interface Upkeep {
  /** Takes away blobs that no manifest has used for the grace period, and bytes that nothing points to. */
  collectGarbage(options?: GarbageRun): Promise<GarbageReport>
  /** Applies the retention rules. Without rules it only ends the restore window of what was removed before. */
  applyRetention(options?: RetentionRun): Promise<RetentionReport>
  /** Tags that retention removed and that can still be brought back, by id, after `last`. */
  listRemovedTags(page?: {
    readonly repository?: string
    readonly last?: number
    readonly limit?: number
  }): Promise<RemovedTag[]>
  /** Sets a removed tag again. */
  restoreTag(restore: {
    readonly id: number
    readonly as?: string
    readonly overwrite?: boolean
  }): Promise<RestoreTagResult>
  /** Reads every blob and manifest and compares it with its digest; goes on where the last run was cut off. */
  scrub(options?: ScrubRun): Promise<ScrubReport>
}

export interface GarbageRun {
  /** Changes nothing and says what would go. Default false. */
  readonly dryRun?: boolean
  /**
   * Seconds. Default: what the option says. A shorter one may take what a client was told is there a moment ago: its push then
   * fails, and succeeds when it is tried again.
   */
  readonly grace?: number
  /** Also when the clock is in doubt. Default false. */
  readonly trustClock?: boolean
  /**
   * Nobody else has the store and nothing is being pushed: files that no row points to go however young they are. Default
   * false: what is younger than the grace, or than an hour, may be a push between its bytes and its row.
   */
  readonly exclusive?: boolean
  readonly signal?: AbortSignal
}

export interface GarbageReport {
  readonly dryRun: boolean
  /** Links between a repository and a blob that went (or would go). */
  readonly links: number
  /** Blobs that no repository has any more. */
  readonly blobs: number
  /** Bytes of those. */
  readonly bytes: number
  /** Files that no row points to. */
  readonly orphans: number
  readonly orphanBytes: number
  /** The first of what went or would go, at most a thousand: for people. */
  readonly sample: readonly { readonly repository: string; readonly digest: Digest; readonly size: number }[]
  /**
   * Why nothing was removed although there may be garbage (a dry run says what would go all the same). `clock`: it jumped, and
   * what looks old may be new. `read-only`: by the policy, nothing is changed at the moment.
   */
  readonly withheld?: { readonly reason: 'clock' | 'read-only'; readonly message: string }
  /** Whether the run was cut off. */
  readonly incomplete: boolean
}

export interface RetentionRun {
  /** Changes nothing and says what would go. Default false. */
  readonly dryRun?: boolean
  /** Also when the clock is in doubt. Default false. */
  readonly trustClock?: boolean
  readonly signal?: AbortSignal
}

export interface RetentionReport {
  readonly dryRun: boolean
  readonly tags: number
  readonly manifests: number
  /** Of removed tags that can no longer be brought back. */
  readonly forgotten: number
  /** The first of what went or would go, at most a thousand: for people. */
  readonly sample: readonly RetentionItem[]
  /**
   * Why nothing was removed although some may be due (a dry run says what would go all the same). `clock`: it jumped, and what
   * looks old may be new. `read-only`: by the policy, nothing is changed at the moment.
   */
  readonly withheld?: { readonly reason: 'clock' | 'read-only'; readonly message: string }
  /** Whether the run was cut off. */
  readonly incomplete: boolean
}

export type RetentionItem =
  | { readonly repository: string; readonly tag: string; readonly digest: Digest; readonly because: string }
  | { readonly repository: string; readonly digest: Digest; readonly because: string }

export interface ScrubRun {
  /** Bytes read a second, on average; 0: as fast as the disk gives them. Default: what the option says. */
  readonly rate?: number
  /** Begins with the first blob, wherever the last run was. Default false. */
  readonly fromStart?: boolean
  readonly signal?: AbortSignal
}

export interface ScrubReport {
  /** Looked at, whatever was found. */
  readonly blobs: number
  /** Read. */
  readonly bytes: number
  readonly manifests: number
  /** What is in quarantine since this run; the first thousand. The log has all. */
  readonly corrupt: readonly CorruptContent[]
  /** What was in quarantine and is right again. */
  readonly healed: number
  /** Blobs that could not be read for a reason that says nothing of their bytes: they stay as they are. The log has the reasons. */
  readonly unreadable: number
  readonly incomplete: boolean
}

export interface CorruptContent {
  readonly digest: Digest
  readonly kind: 'blob' | 'manifest'
  /** `unreadable`: the disk fails when it is read, twice. */
  readonly problem: 'missing' | 'size' | 'digest' | 'unreadable'
}

/** A run of whatever kind that ended, whoever asked for it. */
export type UpkeepRun = {
  /** When it ended; milliseconds since the epoch. */
  readonly at: number
  /** How long it took. */
  readonly milliseconds: number
} & (
  | ({ readonly kind: 'garbage' } & Outcome<GarbageReport>)
  | ({ readonly kind: 'retention' } & Outcome<RetentionReport>)
  | ({ readonly kind: 'scrub' } & Outcome<ScrubReport>)
)

type Outcome<R> = { readonly report: R } | { readonly error: unknown }
