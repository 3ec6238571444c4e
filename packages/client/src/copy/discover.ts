import {
  type Descriptor,
  type Digest,
  effectiveArtifactType,
  type Manifest,
  ParseError,
  parseManifest,
} from '@stowage/oci'
import { inParallel } from '../content/in-parallel.ts'
import type { CallOptions, Source } from '../content/ports.ts'
import { isClientError, isNotFound } from '../errors.ts'

/** How much of a tree of referrers is wanted. */
export interface DiscoverOptions extends CallOptions {
  /** How far down: 1 is what refers to the manifest itself. Default: everything. */
  readonly depth?: number
  /** Only referrers of this type, at the first level; what refers to them is shown whatever it is. */
  readonly artifactType?: string
  /** Also the manifests of an index, each with its referrers. Default false. */
  readonly children?: boolean
}

/** A manifest, and what refers to it. It is its own JSON. */
export interface ReferrerTree {
  /** A referrer's has its artifact type and annotations. */
  readonly descriptor: Descriptor
  readonly referrers: readonly ReferrerTree[]
  /** Of an index, when asked for. */
  readonly children?: readonly ReferrerTree[]
}

/** Deeper than any chain of referrers that is meant: a signature of an SBOM of an image is three. */
const deepest = 20
/** Manifests read at once, of one level. */
const atOnce = 8

/**
 * What refers to a manifest, and to that in turn: signatures, SBOMs, attestations. Each referrer is read: a list that a client
 * made may name what is none, or leave out its type.
 *
 * @throws {ClientError} `not-found`
 */
export const discover = async (
  source: Source,
  reference: string,
  options: DiscoverOptions = {},
): Promise<ReferrerTree> => {
  const { depth = deepest, artifactType, children = false, signal, onRetry } = options
  const call: CallOptions = {
    ...(signal === undefined ? {} : { signal }),
    ...(onRetry === undefined ? {} : { onRetry }),
  }
  const root = await source.resolve(reference, call)
  return growTree({ source, call, depth: Math.min(depth, deepest), artifactType, children }, root)
}

interface Growth {
  readonly source: Source
  readonly call: CallOptions
  readonly depth: number
  readonly artifactType: string | undefined
  readonly children: boolean
}

const growTree = async (growth: Growth, descriptor: Descriptor): Promise<ReferrerTree> => {
  const referrers = growth.depth > 0 ? await referrersOf(growth, descriptor.digest) : []
  if (!growth.children || !/index|manifest\.list/.test(descriptor.mediaType)) return { descriptor, referrers }
  const manifest = await readIfThere(growth, descriptor)
  if (manifest?.kind !== 'index') return { descriptor, referrers }
  const children = await inOrder(growth, manifest.manifests, async (child, call) =>
    growTree({ ...growth, call, children: false }, child),
  )
  return { descriptor, referrers, children }
}

const referrersOf = async (growth: Growth, subject: Digest): Promise<readonly ReferrerTree[]> => {
  const { source, call, artifactType, depth } = growth
  const listed: Descriptor[] = []
  const seen = new Set<Digest>([subject])
  const wanted = artifactType === undefined ? {} : { artifactType }
  for await (const descriptor of source.referrers(subject, { ...call, ...wanted })) {
    if (seen.has(descriptor.digest)) continue
    seen.add(descriptor.digest)
    listed.push(descriptor)
  }
  const trees = await inOrder(growth, listed, async (descriptor, inner) => {
    const manifest = await readIfThere({ ...growth, call: inner }, descriptor)
    // An index lists its children beside what refers to it; only what names the subject is a referrer.
    if (manifest !== undefined && manifest.subject?.digest !== subject) return undefined
    const below = { ...growth, call: inner, depth: depth - 1, artifactType: undefined, children: false }
    return growTree(below, manifest === undefined ? descriptor : withFactsOf(descriptor, manifest))
  })
  return trees.filter((tree) => tree !== undefined)
}

/** What is listed may be gone, or be something that nobody here understands: it is shown as it is listed. */
const readIfThere = async ({ source, call }: Growth, descriptor: Descriptor): Promise<Manifest | undefined> => {
  try {
    return parseManifest(await source.getManifest(descriptor, call), descriptor.mediaType)
  } catch (error) {
    if (error instanceof ParseError || isNotFound(error) || isClientError(error, 'digest-mismatch')) return undefined
    throw error
  }
}

const withFactsOf = (descriptor: Descriptor, manifest: Manifest): Descriptor => {
  const artifactType = effectiveArtifactType(manifest)
  const { annotations } = manifest
  return {
    ...descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  }
}

const inOrder = async <T, R>(
  { call }: Growth,
  items: readonly T[],
  work: (item: T, call: CallOptions) => Promise<R>,
): Promise<readonly R[]> => {
  const results: R[] = []
  const works = inParallel(items.entries(), { atOnce, signal: call.signal }, async ([at, item], signal) => {
    results[at] = await work(item, { ...call, signal })
  })
  for await (const _ of works) continue
  return results
}
