import { type Answer, byBytes } from './answer.ts'
import { type Pool, type PoolManifest, repositories, tags } from './contents.ts'

/** What is in a repository, as far as anybody can ask. */
export interface Contents {
  readonly blobs: ReadonlySet<string>
  /** By digest. */
  readonly manifests: ReadonlyMap<string, PoolManifest>
  /** To a digest. */
  readonly tags: ReadonlyMap<string, string>
}

/** Whether a manifest of the repository needs the blob. A child of an index is a blob only where there is no such manifest. */
export const isUsed = ({ manifests }: Contents, digest: string): boolean =>
  [...manifests.values()].some(
    ({ blobs, children }) => blobs.includes(digest) || (children.includes(digest) && !manifests.has(digest)),
  )

/** Garbage collection lets be what any manifest names, whatever it takes it for. */
export const isNamed = ({ manifests }: Contents, digest: string): boolean =>
  [...manifests.values()].some(({ blobs, children }) => blobs.includes(digest) || children.includes(digest))

/** What can be asked of everything in the pool, in one order: `a/b blob sha256:…`, `a/b tag latest`. */
export const everything = ({ blobs, manifests }: Pool): readonly Question[] =>
  repositories.flatMap((repository) => [
    ...blobs.map(({ digest }) => ({ repository, kind: 'blob' as const, name: digest })),
    ...manifests.map(({ digest }) => ({ repository, kind: 'manifest' as const, name: digest })),
    ...tags.map((tag) => ({ repository, kind: 'tag' as const, name: tag })),
  ])

export interface Question {
  readonly repository: string
  readonly kind: 'blob' | 'manifest' | 'tag'
  readonly name: string
}

/** All that is there, with what each tag names. */
export const look = (at: (repository: string) => Contents, pool: Pool): Answer =>
  seen(
    everything(pool).flatMap((question) => {
      const { repository, kind, name } = question
      const { blobs, manifests, tags: named } = at(repository)
      if (kind === 'blob') return blobs.has(name) ? [thereIs(question, name)] : []
      if (kind === 'manifest') return manifests.has(name) ? [thereIs(question, name)] : []
      const digest = named.get(name)
      return digest === undefined ? [] : [thereIs(question, digest)]
    }),
  )

export const thereIs = ({ repository, kind, name }: Question, digest: string): string =>
  `${repository} ${kind} ${name} ${digest}`

export const seen = (lines: readonly string[]): Answer => ({ status: 200, there: lines.toSorted(byBytes) })
