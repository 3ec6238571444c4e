import { type MetadataStore, sqliteMetadata } from '@stowage/registry'

/** A method of the metadata port that writes, as it was called: `upkeep.collectBlobs`. */
export interface Write {
  readonly method: string
  readonly args: readonly unknown[]
}

export interface Recorder {
  /** @returns what is to be called when the write has settled. */
  submitted(write: Write): () => Promise<void> | void
}

const reading = /^(find|read|list|describe|usage|statistics|repositoryExists|known|inspect|storedBlob|check)/

/** Those that a power cut may take back although they were acknowledged: the store does not wait for the disk for them. */
const relaxed: ReadonlySet<string> = new Set([
  'createUpload',
  'saveUpload',
  'acknowledgeEvents',
  'recordPulls',
  'upkeep.touchBlob',
  'upkeep.touchManifest',
  'upkeep.verifiedBlobs',
])

export const isDurable = ({ method }: Write): boolean => !relaxed.has(method)

/** A metadata store that tells of every write when it is submitted and when it has settled. */
export const recorded = (store: MetadataStore, recorder: Recorder): MetadataStore => {
  const wrap = <T extends object>(target: T, prefix: string): T =>
    new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name, object)
        if (name === 'upkeep' && typeof value === 'object' && value !== null) return wrap(value, 'upkeep.')
        if (typeof value !== 'function' || typeof name !== 'string') return bound(object, value)
        if (reading.test(name)) return bound(object, value)
        return async (...args: unknown[]) => {
          const settled = recorder.submitted({ method: prefix + name, args: structuredClone(args) })
          try {
            return await (value as (...args: unknown[]) => unknown).apply(object, args)
          } finally {
            await settled()
          }
        }
      },
    })
  return wrap(store, '')
}

const bound = (object: object, value: unknown): unknown =>
  typeof value === 'function' ? (value.bind(object) as unknown) : value

/**
 * A real SQLite with these writes in it, and no others: what a database in WAL has after a power cut is a prefix of its
 * commits, and which prefix is for the caller to choose.
 */
export const replay = async (writes: readonly Write[]): Promise<MetadataStore> => {
  const store = await sqliteMetadata({ path: ':memory:' })
  for (const { method, args } of writes) {
    const [name, of] = method.startsWith('upkeep.') ? [method.slice(7), store.upkeep] : [method, store]
    // Recorded from a store of the same kind. A write that was refused is refused again.
    const write = Reflect.get(of, name) as (...args: unknown[]) => Promise<unknown>
    await write.apply(of, structuredClone([...args])).catch(() => {})
  }
  return store
}

/** The same store, which stays open when its registry is closed. */
export const kept = (store: MetadataStore): MetadataStore =>
  new Proxy(store, {
    get: (object, name) =>
      name === Symbol.asyncDispose ? async () => {} : bound(object, Reflect.get(object, name, object)),
  })
