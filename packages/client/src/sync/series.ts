import { isDigest, isTag } from '@stowage/oci'
import { collect, onePage } from '../content/pages.ts'
import type { CallOptions, Source, Target } from '../content/ports.ts'
import { createTargetKnowledge, type TargetKnowledge } from '../copy/knowledge.ts'
import { isClientError, isNotFound } from '../errors.ts'
import { tagOfName } from '../layout/layout-names.ts'
import type { PlannedRepository } from './plan.ts'
import { toFilter } from './pattern.ts'
import type { SyncOptions } from './sync-options.ts'

/** The images of one repository that go to one other. */
export interface Series {
  readonly source: Source
  readonly target: Target
  readonly knowledge: TargetKnowledge
  readonly images: readonly SeriesImage[]
}

/** One image of a series. */
export interface SeriesImage {
  /** A tag or digest of the source. */
  readonly reference: string
  /** What it is called at the target; undefined when it is found by its digest only. */
  readonly tag: string | undefined
}

/** With fewer images than this, each is asked for: a repository may have many more tags than are wanted. */
const worthListing = 10

/** Finds out what there is to do in one repository. @throws {ClientError} `not-found` when it is not there */
export const openSeries = async (
  planned: PlannedRepository,
  source: Source,
  target: Target,
  options: Pick<SyncOptions, 'tags' | 'referrers' | 'digestTags'>,
  call: CallOptions,
): Promise<Series> => {
  let listed: Promise<readonly string[]> | undefined
  const tagsOfSource = async (): Promise<readonly string[]> => (listed ??= collect(source.tags(call)))
  const images = await imagesOf(planned, tagsOfSource, options)
  const there = images.length < worthListing ? undefined : await tagsOfTarget(target, call)
  return {
    // Each image with digest tags looks through all tags: they are asked for once.
    source: options.digestTags === true ? { ...source, tags: () => onePage(tagsOfSource) } : source,
    target,
    images,
    knowledge: createTargetKnowledge({
      isNew: there?.size === 0,
      lacksTag: (tag) => there !== undefined && !there.has(tag),
    }),
  }
}

/** The tag that stands in for a list of referrers. Copied with its referrers, the target makes its own. */
const referrersTagForm = /^sha(?:256|384|512)-[0-9a-f]{64,}$/

const imagesOf = async (
  { reference, tag, wanted }: PlannedRepository,
  tagsOfSource: () => Promise<readonly string[]>,
  { tags = {}, referrers }: Pick<SyncOptions, 'tags' | 'referrers'>,
): Promise<readonly SeriesImage[]> => {
  if (reference !== undefined) {
    return [{ reference, tag: tag ?? (isDigest(reference) ? undefined : tagOfName(reference)) }]
  }
  const isList = Array.isArray(tags)
  const filter = isList ? () => true : toFilter(tags as Exclude<typeof tags, readonly string[]>)
  const names = isList ? (tags as readonly string[]) : await tagsOfSource()
  return names
    .filter((name) => wanted(name) && filter(name) && !(referrers === true && referrersTagForm.test(name)))
    .map((name) => ({ reference: name, tag: isTag(name) ? name : tagOfName(name) }))
}

/** Undefined where nobody says: who may push may not be let list. */
const tagsOfTarget = async (target: Target, call: CallOptions): Promise<ReadonlySet<string> | undefined> => {
  try {
    return new Set(await collect(target.tags(call)))
  } catch (error) {
    if (isNotFound(error)) return new Set()
    if (
      ['denied', 'unauthorized', 'unsupported', 'rejected'].some((code) => isClientError(error) && error.code === code)
    ) {
      return undefined
    }
    throw error
  }
}
