import type { StoredBytes } from '../blobs/blob-store.ts'
import type { Examination } from './examine.ts'
import { type Finding, finding } from './finding.ts'

const atOnce = 500
/** More are not told one from the other. */
const mostKeys = 10_000

/** I10: what is stored without being needed, which is to go by itself. */
export async function* examineGarbage(examination: Examination): AsyncGenerator<Finding> {
  yield* waiting(examination)
  yield* orphanFiles(examination)
  yield* orphanUploads(examination)
}

async function* waiting({ metadata, blobs, now, signal }: Examination): AsyncGenerator<Finding> {
  const rows = await metadata.listGarbage({ limit: mostKeys })
  const [oldest] = rows
  if (oldest === undefined) return
  let bytes = 0
  for (const { key } of rows) {
    signal?.throwIfAborted()
    bytes += (await blobs.inspect(key))?.size ?? 0
  }
  const message = `${many(rows.length, 'key', mostKeys)} with ${bytes} bytes; the oldest has waited for ${age(now() - oldest.since)}.`
  yield finding('garbage-waiting', { subject: oldest.key, message })
}

async function* orphanFiles({ metadata, blobs, now, signal }: Examination): AsyncGenerator<Finding> {
  const unknown = async (files: readonly StoredBytes[]): Promise<StoredBytes[]> => {
    const known = new Set(await metadata.upkeep.knownKeys(files.map(({ key }) => key)))
    return files.filter(({ key }) => !known.has(key))
  }
  const tally = createTally()
  for await (const files of inGroups(blobs.listBlobs())) {
    signal?.throwIfAborted()
    // A push writes its row after its file, and at once: whoever is in between has the row by the second look. One that went
    // away meanwhile is no longer there.
    for (const file of await unknown(await unknown(files))) {
      if ((await blobs.inspect(file.key)) !== undefined) tally.add(file.key, file.size, file.storedAt)
    }
  }
  yield* tally.told('orphan-files', 'file', now())
}

async function* orphanUploads({ metadata, blobs, now, signal }: Examination): AsyncGenerator<Finding> {
  const tally = createTally()
  for await (const uploads of inGroups(blobs.listUploads())) {
    signal?.throwIfAborted()
    const known = new Set(await metadata.upkeep.knownUploads(uploads.map(({ id }) => id)))
    for (const { id, touchedAt } of uploads) if (!known.has(id)) tally.add(id, undefined, touchedAt)
  }
  yield* tally.told('orphan-uploads', 'upload', now())
}

const createTally = () => {
  let count = 0
  let bytes: number | undefined
  let oldest: { readonly name: string; readonly at: number } | undefined
  return {
    add: (name: string, size: number | undefined, at: number): void => {
      count += 1
      if (size !== undefined) bytes = (bytes ?? 0) + size
      if (oldest === undefined || at < oldest.at) oldest = { name, at }
    },
    *told(kind: 'orphan-files' | 'orphan-uploads', what: string, now: number): Generator<Finding> {
      if (oldest === undefined) return
      const size = bytes === undefined ? '' : ` with ${bytes} bytes`
      const message = `${many(count, what)}${size} that no row points to; the oldest is ${age(now - oldest.at)} old.`
      yield finding(kind, { subject: oldest.name, message })
    },
  }
}

const many = (count: number, what: string, limit = Infinity): string =>
  `${count} ${what}${count === 1 ? '' : 's'}${count >= limit ? ' or more' : ''}`

const age = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 120) return `${seconds} seconds`
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`
}

async function* inGroups<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let group: T[] = []
  for await (const item of items) {
    group.push(item)
    if (group.length < atOnce) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
