import { type Descriptor, type Digest, type Manifest, ParseError, parseManifest, type Platform } from '@stowage/oci'
import { inParallel } from '../content/in-parallel.ts'
import type { CallOptions, Source } from '../content/ports.ts'
import { selectChildren } from '../copy/selection.ts'
import { ClientError, isClientError } from '../errors.ts'
import { describePlatform } from '../platform.ts'

/** A manifest of a tree, and how it was reached. */
export interface WalkedNode {
  readonly descriptor: Descriptor
  /** What it is from above: empty for the root, then `linux/amd64`, `manifests[2]`. */
  readonly where: string
  readonly platform: Platform | undefined
}

/** What was found there. One that is missing, damaged or no manifest is told, and what hangs below it stays unknown. */
export type WalkedManifest = WalkedNode &
  (
    | { readonly manifest: Manifest; readonly error?: undefined }
    | { readonly manifest?: undefined; readonly error: Error }
  )

/** Which manifests of a tree are wanted. */
export interface WalkOptions extends CallOptions {
  /** Only these platforms of the root, when it is an index. */
  readonly platforms?: readonly Platform[]
}

/** Manifests read at once. */
const atOnce = 8
/** Indexes within indexes. */
const deepest = 10
const mostManifests = 100_000
/** Bytes of all manifests together: whoever walks may hold on to them. */
const mostBytes = 256 * 1024 * 1024

/**
 * Every manifest that a root consists of, each once, level by level.
 *
 * @throws {ClientError} what has nothing to do with the content: `network`, `denied` …; `not-found` for a platform that is not
 *   there
 */
export async function* walkManifests(
  source: Source,
  root: Descriptor,
  { platforms = [], signal, onRetry }: WalkOptions = {},
): AsyncIterable<WalkedManifest> {
  const seen = new Set<Digest>([root.digest])
  let bytes = 0
  let level: WalkedNode[] = [{ descriptor: root, where: '', platform: root.platform }]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw tooMany(source, `more than ${deepest} indexes within each other`)
    const next: WalkedNode[] = []
    const call = (inner: AbortSignal): CallOptions => ({ signal: inner, ...(onRetry === undefined ? {} : { onRetry }) })
    for await (const walked of inParallel(level, { atOnce, signal }, async (node, inner) =>
      read(source, node, call(inner)),
    )) {
      bytes += walked.manifest === undefined ? 0 : walked.descriptor.size
      if (bytes > mostBytes) throw tooMany(source, `manifests of more than ${mostBytes} bytes`)
      yield walked
      if (walked.manifest?.kind !== 'index') continue
      const { manifests } = walked.manifest
      const chosen = new Set(
        depth === 0 && platforms.length > 0 ? selectChildren(walked.manifest, platforms, source.name) : manifests,
      )
      for (const [at, child] of manifests.entries()) {
        if (!chosen.has(child) || seen.has(child.digest)) continue
        seen.add(child.digest)
        next.push({ descriptor: child, where: below(walked.where, at, child), platform: child.platform })
      }
      if (seen.size > mostManifests) throw tooMany(source, `more than ${mostManifests} manifests`)
    }
    level = next
  }
}

const read = async (source: Source, node: WalkedNode, options: CallOptions): Promise<WalkedManifest> => {
  try {
    const bytes = await source.getManifest(node.descriptor, options)
    return { ...node, manifest: parseManifest(bytes, node.descriptor.mediaType) }
  } catch (error) {
    if (!isOfContent(error)) throw error
    return { ...node, error }
  }
}

/** Whether an error is about what is stored, and not about the way there. */
export const isOfContent = (error: unknown): error is ClientError | ParseError =>
  error instanceof ParseError ||
  isClientError(error, 'not-found') ||
  isClientError(error, 'digest-mismatch') ||
  isClientError(error, 'too-large') ||
  isClientError(error, 'invalid-content')

const below = (where: string, at: number, { platform }: Descriptor): string => {
  // BuildKit's attestations say `unknown/unknown`, several times.
  const name = platform === undefined || platform.os === 'unknown' ? `manifests[${at}]` : describePlatform(platform)
  return where === '' ? name : `${where} ${name}`
}

const tooMany = (source: Source, what: string): ClientError =>
  new ClientError('invalid-content', `${source.name} has ${what}.`, { subject: source.name })
