import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createDigester, type Descriptor, digestAlgorithm, type HashFactory } from '@stowage/oci'
import type { PulledArtifact, PulledFile } from '../../artifact/pull-artifact.ts'
import { inParallel } from '../../content/in-parallel.ts'
import { type CopyEvent, type CopyEvents, createEventQueue } from '../../copy/events.ts'
import { queuedJob } from '../../copy/job.ts'
import { ClientError } from '../../errors.ts'
import { defaultHash } from '../../hash.ts'
import { fileContent } from '../file-content.ts'
import { onFile } from '../file-errors.ts'
import { temporaryPrefix, writeWhole } from '../layout/write-file.ts'
import { moveInto } from './move-into.ts'
import { lookAt, openTargetDirectory, type TargetDirectory } from './target-directory.ts'
import { partsOfTitle } from './title-path.ts'
import { digestKey, unpackKey } from './unpack-annotations.ts'
import { unpackDirectory, type UnpackLimits } from './unpack-directory.ts'

/** Where files are written, and what they may do there. */
export interface SaveArtifactOptions {
  /** Everything is written below it. Made if it is not there. */
  readonly directory: string
  /** What is there already with other content is an error (`exists`), and not replaced. Default false, as with oras. */
  readonly keepOld?: boolean
  /** What a directory may unpack to. */
  readonly limits?: UnpackLimits
  /** Leave directories packed, as files. Default false. */
  readonly keepPacked?: boolean
  /** Files under way at once. Default 4. */
  readonly concurrency?: number
  readonly hash?: HashFactory
  readonly signal?: AbortSignal
}

/** What became of a file of an artifact. */
export interface SavedFile {
  readonly title: string | undefined
  readonly descriptor: Descriptor
  /** Where it is now; undefined for what has no title and was left. */
  readonly path: string | undefined
  readonly outcome: 'written' | 'existing' | 'untitled'
}

/** Files under way to the disk. Iterated it gives events like those of a copy. */
export interface SaveJob extends AsyncIterable<CopyEvent> {
  /** In the order of the manifest. */
  readonly result: Promise<readonly SavedFile[]>
}

/**
 * Writes the files of an artifact below one directory, and nowhere else, whatever they are called. A file appears when all of it
 * is there and right; one that is there already is not read again. Directories are unpacked.
 *
 * @throws {ClientError} by `result`, and while events are read: `refused` for titles and entries that lead out, `exists`,
 *   `too-large` for what unpacks to too much, `digest-mismatch`, `denied`
 */
export const saveArtifact = (artifact: PulledArtifact, options: SaveArtifactOptions): SaveJob => {
  const events = createEventQueue()
  return queuedJob(run(artifact, options, events), events)
}

interface Saving extends SaveArtifactOptions {
  readonly target: TargetDirectory
  readonly events: CopyEvents
  readonly hash: HashFactory
}

const run = async (
  { files }: PulledArtifact,
  options: SaveArtifactOptions,
  events: CopyEvents,
): Promise<readonly SavedFile[]> => {
  const { concurrency: atOnce = 4, hash = defaultHash, signal } = options
  checkTitles(files)
  const saving: Saving = { ...options, hash, events, target: await openTargetDirectory(options.directory) }
  const saved: SavedFile[] = []
  const works = inParallel(files.entries(), { atOnce, signal }, async ([at, file], inner) => {
    saved[at] = await save(file, { ...saving, signal: inner })
  })
  for await (const _ of works) continue
  return saved
}

/** Before anything is written: a title that leads out, and two that are one, are nothing to do the half of. */
const checkTitles = (files: readonly PulledFile[]): void => {
  const seen = new Map<string, string>()
  for (const { title, descriptor } of files) {
    if (title === undefined) continue
    const path = partsOfTitle(title).join('/')
    if (seen.has(path)) {
      throw new ClientError('invalid-content', `The artifact has two files ${JSON.stringify(path)}.`, { subject: path })
    }
    seen.set(path, descriptor.digest)
  }
}

const save = async (file: PulledFile, saving: Saving): Promise<SavedFile> => {
  const { title, descriptor } = file
  const { events, keepPacked = false } = saving
  if (title === undefined) return { title, descriptor, path: undefined, outcome: 'untitled' }
  events.push({ type: 'found', role: 'blob', descriptor })
  const parts = partsOfTitle(title)
  const isDirectory = descriptor.annotations?.[unpackKey] === 'true' && !keepPacked
  if (parts.length === 0 && !isDirectory) {
    throw new ClientError('refused', `A file is called ${JSON.stringify(title)}, which is the directory itself.`, {
      subject: title,
    })
  }
  const parent = await saving.target.directory(parts.slice(0, -1))
  const path = join(parent, ...parts.slice(-1))
  const outcome = isDirectory ? await saveDirectory(file, title, path, saving) : await saveFile(file, path, saving)
  events.push({ type: 'done', role: 'blob', descriptor, outcome: outcome === 'existing' ? 'existing' : 'copied' })
  return { title, descriptor, path, outcome }
}

const saveFile = async (file: PulledFile, path: string, saving: Saving): Promise<'written' | 'existing'> => {
  const { hash, keepOld = false } = saving
  const there = await lookAt(path)
  if (there?.isFile() === true && there.size === file.descriptor.size && (await hasDigest(path, file.descriptor, hash)))
    return 'existing'
  if (there?.isDirectory() === true) throw inTheWay(path, 'a directory')
  if (there !== undefined && keepOld) throw inTheWay(path, 'there')
  await writeWhole(path, told(file, saving), { directory: join(path, '..'), durable: false })
  return 'written'
}

const saveDirectory = async (
  file: PulledFile,
  title: string,
  path: string,
  { target, hash, keepOld = false, limits = {}, ...saving }: Saving,
): Promise<'written'> => {
  const parent = path === target.root ? path : join(path, '..')
  const temporary = join(parent, temporaryPrefix + randomUUID())
  await onFile(temporary, () => mkdir(temporary, { mode: 0o700 }))
  try {
    const digest = file.descriptor.annotations?.[digestKey]
    const unpacked = join(temporary, 'unpacked')
    await unpackDirectory(told(file, saving), unpacked, { title, digest, hash, limits })
    await moveInto(unpacked, path, { keepOld })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  return 'written'
}

/** The bytes of a file, told to whoever listens as they come. */
async function* told(
  { descriptor, open }: PulledFile,
  { events, signal }: Pick<Saving, 'events' | 'signal'>,
): AsyncIterable<Uint8Array> {
  let sent = 0
  for await (const chunk of open(signal === undefined ? {} : { signal })) {
    yield chunk
    sent += chunk.byteLength
    events.push({ type: 'progress', descriptor, sent })
  }
}

const hasDigest = async (path: string, { digest }: Descriptor, hash: HashFactory): Promise<boolean> => {
  const digester = createDigester(hash, digestAlgorithm(digest))
  const content = await fileContent(path)
  for await (const chunk of content.open()) digester.update(chunk)
  return digester.digest() === digest
}

const inTheWay = (path: string, what: string): ClientError =>
  new ClientError('exists', `${path} is ${what} already.`, { subject: path })
