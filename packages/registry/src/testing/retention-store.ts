import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest } from '@stowage/oci'
import type { Policies } from '../access/policies.ts'
import { digestOf } from '../content/digester.ts'
import { silentLogger } from '../logger.ts'
import type { MetadataStore, PutManifest } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { createClock } from '../upkeep/clock.ts'
import { createRetention, type Retention } from '../upkeep/retention.ts'
import type { RetentionReport } from '../upkeep/upkeep.ts'
import type { RetentionRule } from '../upkeep/upkeep-options.ts'

/** Milliseconds. */
export const day = 86_400_000
/** For how long what retention removed can be restored here. */
export const week = 7 * day

/** As rules count them. */
export const days = (number: number): number => (number * day) / 1000

export const newest = (number: number, repositories = '*'): RetentionRule => ({
  repositories,
  keep: { newest: number },
})

export const grant = { actor: 'ann', action: 'push', repository: undefined, overwriteTags: true } as const

/** A real database, and a clock of the test's own beside a time that only goes on. */
export interface RetentionStore extends AsyncDisposable {
  readonly metadata: MetadataStore
  /** Somebody sets it, or time passes. */
  now: number
  /** Time passes, and the clock goes with it. */
  pass(milliseconds: number): void
  /** Stores a manifest of these bytes in the repository `a`. */
  put(text: string, tags?: readonly string[], more?: Partial<PutManifest>): Promise<Digest>
  index(children: readonly Digest[], tags?: readonly string[]): Promise<Digest>
  /** What a process does that begins now. */
  open(rules: readonly RetentionRule[], policies?: Policies, metadata?: MetadataStore): Retention
  /** A run as of now, by a process whose clock is trusted. */
  apply(rules: readonly RetentionRule[], policies?: Policies): Promise<RetentionReport>
  tags(repository?: string): Promise<string[]>
  /** Whether the repository `a` has it. */
  isHere(digest: Digest): Promise<boolean>
}

export const openRetentionStore = async (): Promise<RetentionStore> => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-retention-'))
  const metadata = await sqliteMetadata({ path: join(directory, 'registry.db') })
  let steady = 0

  const store: RetentionStore = {
    metadata,
    now: 1_700_000_000_000,
    pass: (milliseconds) => {
      store.now += milliseconds
      steady += milliseconds
    },
    put: async (text, tags = [], more = {}) => {
      const bytes = new TextEncoder().encode(text)
      const wanted: PutManifest = {
        repository: 'a',
        digest: digestOf(bytes, 'sha256'),
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        bytes,
        tags,
        references: [],
        requiredBlobs: [],
        requiredManifests: [],
        facts: { kind: 'image', contentSize: 0, platforms: [], annotations: {} },
        at: store.now,
        ...more,
      }
      const { outcome } = await metadata.putManifest(wanted, grant)
      if (outcome !== 'stored') throw new Error(`The manifest was not stored: ${outcome}.`)
      return wanted.digest
    },
    index: async (children, tags = []) =>
      store.put(`index of ${children.join()}`, tags, {
        references: children.map((child) => ({ digest: child, role: 'manifest' })),
      }),
    open: (rules, policies = {}, from = metadata) =>
      createRetention({
        metadata: from,
        rules,
        restoreFor: week,
        policies,
        clock: createClock({ now: () => store.now, monotonic: () => steady, tolerance: 3_600_000 }),
        logger: silentLogger,
        now: () => store.now,
      }),
    apply: async (rules, policies) => store.open(rules, policies).apply({ trustClock: true }),
    tags: async (repository = 'a') => (await metadata.describeTags({ repository, limit: 1000 })).map(({ tag }) => tag),
    isHere: async (digest) => (await metadata.findManifest('a', { digest })) !== undefined,
    [Symbol.asyncDispose]: async () => {
      await metadata[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
  return store
}
