/** A glob of a `RepositoryFilter` as the databases want it, and the range of names that can match at all. */
export interface GlobPattern {
  /** First name that can match. */
  readonly from: string
  /** Names from here on cannot match. */
  readonly to: string
  /** For SQLite's GLOB: case-sensitive, but `?` and `[` mean something there. */
  readonly glob: string
  /** For PostgreSQL's LIKE with its default escape. */
  readonly like: string
}

/** Sorts behind every character that can follow, in byte order. */
const BEHIND_ALL = '\u{10ffff}'

export function globPatterns(globs: readonly string[]): GlobPattern[] {
  return [...new Set(globs)].map((glob) => {
    const [literal = ''] = glob.split('*', 1)
    return {
      from: literal,
      to: literal + BEHIND_ALL,
      glob: glob.replaceAll(/[?[]/g, '[$&]'),
      like: glob.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll('*', '%'),
    }
  })
}
