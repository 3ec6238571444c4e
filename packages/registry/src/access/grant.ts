/** What a request wants to do. Every route declares one of these; there is no route without. */
export type Action = 'ping' | 'list' | 'pull' | 'push' | 'delete'

/**
 * A permission that `authorize` gave for one request, as plain data so that it can travel to a worker or another process.
 *
 * Writing methods of the metadata store take the grant and decide inside their own transaction whether a tag is created or
 * overwritten: a check made before the transaction would lose the race of two first pushes (compare CVE-2026-31801).
 */
export interface Grant {
  /** Who acts, as it appears in events and in `pushedBy`. Never a secret. */
  readonly actor: string
  readonly action: Action
  /** The repository that was authorised; undefined for `ping` and `list`. */
  readonly repository: string | undefined
  /** Whether a tag that names another manifest may be moved. */
  readonly overwriteTags: boolean
  /**
   * Globs of tags that nobody moves or deletes here once they are set, and with them the manifest they name and what that
   * one needs. Default: none.
   */
  readonly immutableTags?: readonly string[]
  /** Limits that apply to this write; each is held inside the transaction. Default: none. */
  readonly quotas?: readonly Quota[]
}

/** A limit on stored bytes. A blob counts in every repository that links it, for whoever linked it first there. */
export type Quota =
  /** Of all repositories that the glob matches, together. */
  | { readonly kind: 'repositories'; readonly glob: string; readonly bytes: number }
  /** Of everything that the actor brought. */
  | { readonly kind: 'actor'; readonly actor: string; readonly bytes: number }

/**
 * The repositories a list may show, as a condition of its query: a page costs the same for a caller who may see ten of ten
 * thousand. In a glob `*` stands for any run of characters, `/` included; everything else stands for itself.
 */
export type RepositoryFilter =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'any-of'
      readonly globs: readonly string[]
      /** A repository must also match one glob of each of these lists. Default: none. */
      readonly within?: readonly (readonly string[])[]
      /** Repositories that are shown whatever else is said. Default: none. */
      readonly always?: readonly string[]
    }
