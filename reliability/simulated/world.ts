import { createHash } from 'node:crypto'
import { createRegistry, fileSystemBlobs, type MetadataStore, type Registry } from '@stowage/registry'
import type { FileOperations } from '../../packages/registry/src/blobs/file-system/file-operations.ts'
import type { Content } from '../image.ts'
import type { Random } from '../random.ts'
import { type Answer, ask, pathOf, requireStatus } from './ask.ts'
import { rowsFirst } from './controls.ts'
import { createSimulatedFiles, type SimulatedFiles } from './files.ts'
import { createVersions, type Entry, type Expectation, type Segment, type Versions } from './history.ts'
import { emptyImage, type Image } from './image.ts'
import { createPlatter, type Platter } from './platter.ts'
import { root } from './prepared-image.ts'
import { recorded, replay, type Write } from './recorded-metadata.ts'

/** What a control takes away: the sync of files, that of directories, or the order of bytes and rows. */
export type Without = 'file-sync' | 'directory-sync' | 'bytes-before-rows'

export interface WorldOptions {
  readonly random: Random
  readonly image?: Image
  readonly without?: Without | undefined
  /** Bytes that the system takes at once. */
  readonly mostAtOnce?: number | undefined
}

export interface Upload {
  readonly repository: string
  readonly location: string
  readonly content: Content
}

export type Algorithm = 'sha256' | 'sha384' | 'sha512'

/** A machine with a registry on it, its disk, and a client that remembers what it was told. */
export type World = Awaited<ReturnType<typeof createWorld>>

export const createWorld = async (options: WorldOptions) => {
  const { random, without } = options
  const { mostAtOnce = Infinity } = options
  const segments: Segment[] = []
  const expectations = new Map<string, Expectation>()
  let time = Date.UTC(2026, 0, 1)
  let files: SimulatedFiles
  let registry: Registry
  let platter: Platter
  let versions: Versions
  let life = 0
  let failing: { kind: 'file' | 'directory'; after: number } | undefined
  const watchers: { left: number; reached: () => void }[] = []

  /** Turns of the event loop, so that calls overlap. */
  const pause = async (): Promise<void> => {
    for (let turns = random.between(0, 2); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
  }

  const note = (entry: Entry): void => {
    segments.at(-1)?.log.push(entry)
    versions.apply(entry)
    if (entry.kind === 'disk') platter.apply(entry.event)
    for (const watcher of watchers.splice(0)) {
      watcher.left -= 1
      if (watcher.left > 0) watchers.push(watcher)
      else watcher.reached()
    }
  }

  /** What the life before a power cut still does, nobody sees. */
  const noteIn = (of: number) => (entry: Entry) => {
    if (of === life) note(entry)
  }

  const failSync = (kind: 'file' | 'directory'): boolean => {
    if (failing?.kind !== kind) return false
    failing.after -= 1
    if (failing.after >= 0) return false
    failing = undefined
    return true
  }

  const mount = async (image: Image, metadata: MetadataStore): Promise<void> => {
    const inThisLife = noteIn(life)
    files = createSimulatedFiles({
      image,
      clock: () => time,
      log: (event) => inThisLife({ kind: 'disk', event }),
      pause,
      mostAtOnce,
      failSync,
      skipSync: (kind) => without === `${kind}-sync`,
    })
    let stores: { metadata: MetadataStore; files: FileOperations } = { metadata, files }
    if (without === 'bytes-before-rows') stores = rowsFirst(stores)
    const blobs = await fileSystemBlobs({ root }, stores.files)
    registry = await createRegistry({
      storage: {
        metadata: recorded(stores.metadata, {
          submitted: (write) => {
            const index = versions.writes.length
            inThisLife({ kind: 'submitted', write })
            return () => inThisLife({ kind: 'settled', index })
          },
        }),
        blobs,
      },
      now: () => time,
    })
  }

  const begin = async (image: Image, writes: readonly Write[]): Promise<void> => {
    life += 1
    segments.push({ image, writes, expectations: new Map(expectations), startedAt: time, log: [] })
    platter = createPlatter(image)
    versions = createVersions(writes)
    await mount(image, await replay(writes))
  }

  const expect = (expectation: Expectation): void => {
    const { kind, repository } = expectation
    const about = kind === 'blob' ? expectation.content.digest : kind === 'tag' ? expectation.tag : expectation.location
    const key = `${kind} ${repository} ${about}`
    expectations.set(key, expectation)
    note({ kind: 'expected', key, expectation })
  }

  /** Says what is to be counted on as long as the machine that was asked has not lost its power. */
  const expectAfter = async <T>(request: Promise<T>, then: (result: T) => readonly Expectation[]): Promise<T> => {
    const of = life
    const result = await request
    if (of === life) for (const each of then(result)) expect(each)
    return result
  }

  const send = async (method: string, target: string, how: Parameters<typeof ask>[3] = {}): Promise<Answer> =>
    ask(registry, method, target, how)

  const stateOf = (repository: string, { digest }: Content): string | undefined => {
    const known = expectations.get(`blob ${repository} ${digest}`)
    return known?.kind === 'blob' ? known.state : undefined
  }

  /** While a push is under way the blob may be there; one that is there stays, and one that is damaged may be damaged. */
  const pushing = (repository: string, content: Content): void => {
    const state = stateOf(repository, content)
    if (state === undefined || state === 'absent') expect({ kind: 'blob', repository, content, state: 'maybe' })
  }

  const start = async (repository: string, content: Content): Promise<Upload> => {
    const answer = await send('POST', `/v2/${repository}/blobs/uploads/`)
    const upload = { repository, location: pathOf(requireStatus('POST', answer, 202)), content }
    expect({ kind: 'upload', ...upload, state: 'open' })
    return upload
  }

  const patch = async (upload: Upload, from: number, to: number): Promise<Answer> =>
    send('PATCH', upload.location, {
      headers: { 'content-range': `${from}-${to - 1}` },
      body: upload.content.bytes.subarray(from, to),
    })

  const finish = async (upload: Upload, from: number): Promise<Answer> => {
    const { repository, content, location } = upload
    pushing(repository, content)
    return expectAfter(
      send('PUT', `${location}?digest=${content.digest}`, { body: content.bytes.subarray(from) }),
      ({ status }) =>
        status === 201 ? [{ kind: 'upload', ...upload, state: 'over' }, linked(repository, content)] : [],
    )
  }

  const single = async (repository: string, content: Content): Promise<Answer> => {
    pushing(repository, content)
    return expectAfter(
      send('POST', `/v2/${repository}/blobs/uploads/?digest=${content.digest}`, { body: content.bytes }),
      ({ status }) => (status === 201 ? [linked(repository, content)] : []),
    )
  }

  await begin(options.image ?? emptyImage, [])

  return {
    random,
    segments: segments as readonly Segment[],
    now: () => time,
    send,
    expect,
    expectAfter,
    start,
    patch,
    finish,
    single,

    content: (size: number, algorithm: Algorithm = 'sha256'): Content => {
      const bytes = random.bytes(size)
      return { bytes, digest: `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` }
    },

    /** Bytes whose digest is in a given shard. */
    contentIn: (shard: string, size: number): Content => {
      for (;;) {
        const bytes = random.bytes(size)
        const hex = createHash('sha256').update(bytes).digest('hex')
        if (hex.startsWith(shard)) return { bytes, digest: `sha256:${hex}` }
      }
    },

    push: async (repository: string, content: Content): Promise<void> => {
      requireStatus('POST with a digest', await single(repository, content), 201)
    },

    pushInTwo: async (repository: string, content: Content): Promise<void> => {
      requireStatus('PUT', await finish(await start(repository, content), 0), 201)
    },

    pushInChunks: async (repository: string, content: Content, chunks: number): Promise<void> => {
      const upload = await start(repository, content)
      const edge = (chunk: number): number => Math.floor((content.bytes.byteLength * chunk) / chunks)
      for (let chunk = 0; chunk < chunks; chunk++) {
        requireStatus('PATCH', await patch(upload, edge(chunk), edge(chunk + 1)), 202)
      }
      requireStatus('PUT', await finish(upload, content.bytes.byteLength), 201)
    },

    /** Where the upload goes on; undefined when it is not known any more. */
    offset: async ({ location }: Upload): Promise<number | undefined> => {
      const answer = requireStatus('GET of an upload', await send('GET', location), 204, 404)
      if (answer.status === 404) return undefined
      const last = Number(answer.headers.get('range')?.split('-')[1])
      // The specification has no range for nothing.
      return last === 0 ? 0 : last + 1
    },

    cancel: async (upload: Upload): Promise<void> => {
      expect({ kind: 'upload', ...upload, state: 'over' })
      requireStatus('DELETE of an upload', await send('DELETE', upload.location), 204)
    },

    remove: async (repository: string, content: Content): Promise<void> => {
      expect({ kind: 'blob', repository, content, state: 'maybe' })
      const request = send('DELETE', `/v2/${repository}/blobs/${content.digest}`)
      const answer = await expectAfter(request, ({ status }) =>
        status === 202 ? [{ kind: 'blob', repository, content, state: 'absent' }] : [],
      )
      requireStatus('DELETE of a blob', answer, 202)
    },

    sweep: async (after: number): Promise<void> => {
      time += after
      await registry.sweep()
    },

    check: async (): Promise<void> => registry.check(),

    /** Resolves when so many more things have happened. */
    steps: async (count: number): Promise<void> =>
      new Promise((resolve) => watchers.push({ left: count, reached: resolve })),

    /** The fsync of this kind after so many others fails, and what it should have written is lost. */
    failSync: (kind: 'file' | 'directory', after = 0): void => {
      failing = { kind, after }
    },

    /** Stops the registry as a signal does, and starts it again. The machine goes on. */
    restart: async (): Promise<void> => {
      await registry[Symbol.asyncDispose]()
      await mount(files.snapshot(), await replay(versions.writes))
    },

    /** Cuts the power, and starts the registry on something that may be left. */
    crash: async (damage: (image: Image) => Image = (image) => image): Promise<void> => {
      const before = registry
      const left = [...platter.survivors(random, 32)]
      const version = random.pick(versions.possible())
      const image = damage(random.pick(left))
      await begin(image, versions.writes.slice(0, version))
      // Nothing that it does any more is seen.
      await before[Symbol.asyncDispose]()
    },

    [Symbol.asyncDispose]: async () => registry[Symbol.asyncDispose](),
  }
}

const linked = (repository: string, content: Content): Expectation => ({
  kind: 'blob',
  repository,
  content,
  state: 'present',
})
