import { immutableTagsOf, type Policies } from '../access/policies.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { createSelection, goesBecause, type RetentionTag, span, subjectOfTag } from './retention-rules.ts'
import type { RetentionItem } from './upkeep.ts'
import type { RetentionRule } from './upkeep-options.ts'

/** One run of retention: what its steps share. */
export interface RetentionWork {
  readonly metadata: MetadataStore
  readonly policies: Policies
  /** Milliseconds. */
  readonly restoreFor: number
  readonly now: () => number
  /** The time as of which the run judges. */
  readonly at: number
  readonly dryRun: boolean
  /** Lets others have their turn. False when the run is to end. */
  readonly goOn: () => Promise<boolean>
  readonly tally: RetentionTally
}

/** Filled as the run goes. */
export interface RetentionTally {
  tags: number
  manifests: number
  forgotten: number
  incomplete: boolean
  readonly sample: RetentionItem[]
}

/** Tags or manifests that one step looks at. */
const step = 100

const mostShown = 1000

/** Removes the tags of the repository that its rule does not keep: for now, they can be brought back. */
export const applyToTags = async (work: RetentionWork, repository: string, rule: RetentionRule): Promise<void> => {
  const { metadata, at, dryRun, tally } = work
  const judgement = { rule, immutable: immutableTagsOf(work.policies, repository), at }
  const selection = createSelection(judgement)
  let last: string | undefined
  while (await work.goOn()) {
    const page = await metadata.describeTags({ repository, limit: step, ...(last !== undefined && { last }) })
    const looked: RetentionTag[] = []
    for (const { tag, digest, taggedAt, lastPulledAt } of page) {
      looked.push({
        tag,
        digest,
        taggedAt,
        ...(lastPulledAt !== undefined && { lastPulledAt }),
        ...(await subjectHere(metadata, repository, tag)),
      })
    }
    const going = selection.add(looked)
    for (const one of dryRun ? going : await remove(work, repository, going)) {
      tally.tags += 1
      show(tally, { repository, tag: one.tag, digest: one.digest, because: goesBecause(one, judgement) })
    }
    last = page.at(-1)?.tag
    if (page.length < step) return
  }
}

/** @returns those that were still what they had been when they were looked at. */
const remove = async (
  { metadata, now, restoreFor }: RetentionWork,
  repository: string,
  tags: readonly RetentionTag[],
): Promise<RetentionTag[]> => {
  if (tags.length === 0) return []
  const at = now()
  const gone = new Set(await metadata.upkeep.removeTags({ repository, tags, at, restoreUntil: at + restoreFor }))
  return tags.filter(({ tag }) => gone.has(tag))
}

const subjectHere = async (
  metadata: MetadataStore,
  repository: string,
  tag: string,
): Promise<Pick<RetentionTag, 'about'>> => {
  const about = subjectOfTag(tag)
  if (about === undefined || (await metadata.findManifest(repository, { digest: about })) === undefined) return {}
  return { about }
}

/** Each pass finds what the one before held: the children of indexes, referrers. Deeper nests are left to the next run. */
const mostPasses = 32

/** Removes the manifests for good that have had no tag for the restore window and that nothing holds. */
export const applyToManifests = async (work: RetentionWork, repository: string): Promise<void> => {
  for (let pass = 1; await passOver(work, repository); pass += 1) {
    if (pass < mostPasses) continue
    work.tally.incomplete = true
    return
  }
}

/** @returns whether another pass may find more. */
const passOver = async (work: RetentionWork, repository: string): Promise<boolean> => {
  const { metadata, at, dryRun, restoreFor, tally } = work
  const { upkeep } = metadata
  const untaggedBefore = at - restoreFor
  let found = false
  let page: Awaited<ReturnType<typeof upkeep.listUntaggedManifests>> | undefined
  while (await work.goOn()) {
    const after = page?.next
    page = await upkeep.listUntaggedManifests({ repository, untaggedBefore, at, limit: step, ...(after && { after }) })
    const digests = page.manifests.map(({ digest }) => digest)
    const gone =
      dryRun || digests.length === 0
        ? page.manifests
        : await upkeep.collectManifests({ repository, digests, untaggedBefore, at: work.now() })
    for (const { digest, untaggedSince } of gone) {
      tally.manifests += 1
      show(tally, { repository, digest, because: `It has had no tag for ${span(at - untaggedSince)}.` })
    }
    found ||= gone.length > 0
    if (page.next === undefined) return found && !dryRun
  }
  return false
}

/** Forgets the removed tags whose time to be brought back has ended. */
export const forgetEnded = async (work: RetentionWork): Promise<void> => {
  const { metadata, at, dryRun, tally } = work
  const { upkeep } = metadata
  let last = 0
  while (await work.goOn()) {
    const page = dryRun ? await upkeep.listRemovedTags({ last, limit: step }) : []
    last = page.at(-1)?.id ?? last
    const ended = dryRun
      ? page.filter(({ restoreUntil }) => restoreUntil < at).length
      : await upkeep.forgetRemovedTags(at, step)
    tally.forgotten += ended
    if ((dryRun ? page.length : ended) < step) return
  }
}

const show = ({ sample }: RetentionTally, item: RetentionItem): void => {
  if (sample.length < mostShown) sample.push(item)
}
