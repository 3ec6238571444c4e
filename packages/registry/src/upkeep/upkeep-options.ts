/** What the registry does by itself to stay in order. Nothing of it happens unless its `every` is given. */
export interface UpkeepOptions {
  readonly garbage?: {
    /** Seconds between two runs; 0: never by itself. Default 0. */
    readonly every?: number
    /** Seconds for which a blob may be unused before it goes. Default 86,400: a day. */
    readonly grace?: number
  }
  readonly retention?: {
    /** Seconds between two runs; 0: never by itself. Default 0. */
    readonly every?: number
    /** Seconds for which what retention removed can be brought back. Default 604,800: a week. */
    readonly restoreFor?: number
    /** The first rule whose `repositories` matches a repository is the repository's. Default: none, and everything stays. */
    readonly rules?: readonly RetentionRule[]
  }
  readonly scrub?: {
    /** Seconds from the end of one pass to the next; 0: never by itself. Default 0. */
    readonly every?: number
    /** Bytes read a second; 0: as fast as the disk gives them. Default 16 MiB. */
    readonly rate?: number
  }
}

/** A tag stays if it meets any of the conditions that are given under `keep`, or is immutable. A rule without `keep` keeps all. */
export interface RetentionRule {
  /** A glob, as in access rules: `*` stands for any run of characters. */
  readonly repositories: string
  readonly keep?: {
    /**
     * As many of the tags set last: of those of the same millisecond, the later names. Tags that another condition keeps
     * count, too; those under which clients keep the signatures of a manifest do not, and stay as long as it does.
     */
    readonly newest?: number
    /** Set within as many seconds. */
    readonly youngerThan?: number
    /** The manifest was pulled within as many seconds, under whatever tag. One that was never pulled was not, however new. */
    readonly pulledWithin?: number
    /** Globs; `semver` stands for every tag that is a semantic version, with or without a leading `v`. */
    readonly matching?: readonly string[]
  }
  /** Whether manifests without a tag go, too, when they have had none for the restore window. Default: if `keep` is given. */
  readonly untagged?: boolean
}

/** The options with their defaults. Times in milliseconds. */
export interface UpkeepSettings {
  readonly garbage: { readonly every: number; readonly grace: number }
  readonly retention: { readonly every: number; readonly restoreFor: number; readonly rules: readonly RetentionRule[] }
  readonly scrub: { readonly every: number; readonly rate: number }
}

const day = 86_400_000

export const upkeepSettings = ({ garbage, retention, scrub }: UpkeepOptions = {}): UpkeepSettings => ({
  garbage: { every: milliseconds(garbage?.every, 0), grace: milliseconds(garbage?.grace, day) },
  retention: {
    every: milliseconds(retention?.every, 0),
    restoreFor: milliseconds(retention?.restoreFor, 7 * day),
    rules: retention?.rules ?? [],
  },
  scrub: { every: milliseconds(scrub?.every, 0), rate: scrub?.rate ?? 16 * 1024 * 1024 },
})

const milliseconds = (seconds: number | undefined, fallback: number): number =>
  seconds === undefined ? fallback : Math.round(seconds * 1000)
