import type { HttpClient } from '../http.ts'
import type { Abilities } from './abilities.ts'
import type { Findings } from './findings.ts'
import type { History } from './history.ts'
import { inParallel } from './in-parallel.ts'
import { judge } from './judge.ts'
import { broken, look, pathOf, type Sight } from './look.ts'
import { absent, blobKey, manifestKey, type ObjectKey, partsOf, present, tagKey } from './objects.ts'
import type { Tally } from './tally.ts'

export interface Verification extends Pick<History, 'model' | 'record'> {
  readonly client: HttpClient
  readonly signal: AbortSignal
  readonly findings: Findings
  readonly tally: Tally
  readonly abilities: Abilities
  /** What to look at. What belongs to it is looked at as well: a manifest's blobs, a tag's manifest, a subject's referrers. */
  readonly scope: Iterable<ObjectKey>
  /** Told of each manifest that was looked at; without bytes, it is not there. */
  readonly found: (manifest: ObjectKey, bytes: Buffer | undefined) => void
  /** Whether the lists of tags are compared, which needs all tags in the scope. */
  readonly whole: boolean
}

const lanes = 16

/** Compares what a server shows with what it may show, while nothing else is under way, and takes down what was seen. */
export const verify = async (verification: Verification): Promise<void> => {
  const { model, record, findings, abilities } = verification
  const keys = [...new Set(verification.scope)]
  const ofKind = (kind: string): ObjectKey[] => keys.filter((key) => partsOf(key).kind === kind)
  const sights = new Map<ObjectKey, Sight>()
  // Before what is seen of manifests says more about the operations that were cut off.
  const undecided = new Map(ofKind('tag').map((key) => [key, possibleNow(verification, key)]))
  const subjects = subjectsOf(verification, keys)

  await inParallel(ofKind('manifest'), lanes, async (key) => {
    sights.set(key, await see(verification, key))
  })
  for (const key of ofKind('manifest')) model.decide(key, sights.get(key)?.value ?? broken)
  /** Whether it is the manifest that is lost: that is said once, not for each of its tags. */
  const leadsToLoss = (repository: string, digests: ReadonlySet<string>): boolean =>
    [...digests].some((digest) => {
      const key = manifestKey(repository, digest)
      const seen = sights.get(key)?.value ?? model.registers.get(key)?.settled
      return seen !== present && findings.has(key)
    })
  await inParallel(ofKind('tag'), lanes, async (key) => {
    sights.set(key, await see(verification, key, { undecided: undecided.get(key), leadsToLoss }))
  })
  await followTags(verification, ofKind('tag'), sights)

  const blobs = new Set(ofKind('blob'))
  const manifests = [...sights].filter(([key, { value }]) => partsOf(key).kind === 'manifest' && value === present)
  for (const [key] of manifests) for (const blob of blobsOf(verification, key)) blobs.add(blob)
  await inParallel(blobs, lanes, async (key) => {
    sights.set(key, await see(verification, key))
  })
  for (const [manifest] of manifests) {
    for (const blob of blobsOf(verification, manifest)) {
      const problem = sights.get(blob)
      if (problem?.value !== present && !findings.has(blob))
        findings.add(
          'I3',
          manifest,
          `${manifest} is there, and GET of its ${blob} gives ${problem?.value ?? 'nothing'}`,
        )
    }
  }
  for (const [key, { value, bytes }] of sights) {
    if (partsOf(key).kind === 'manifest') verification.found(key, value === present ? bytes : undefined)
  }
  // Only now: a manifest that was found gone is forgotten with all that is known of it.
  for (const [key, { value }] of sights) {
    if (model.registers.has(key) || value !== absent) record({ type: 'seen', key, value })
  }
  if (abilities.referrers) await inParallel(subjects, lanes, async (subject) => compareReferrers(verification, subject))
  if (verification.whole) for (const repository of repositoriesOf(keys)) await compareTags(verification, repository)
}

const possibleNow = ({ model }: Verification, key: ObjectKey): Set<string> =>
  model.possible(key, model.now(), model.now())

const blobsOf = ({ model }: Verification, manifest: ObjectKey): ObjectKey[] => {
  const { repository } = partsOf(manifest)
  return (model.facts.get(manifest)?.needs ?? []).map((digest) => blobKey(repository, digest))
}

const subjectsOf = ({ model }: Verification, keys: readonly ObjectKey[]): Set<ObjectKey> => {
  const subjects = new Set<ObjectKey>()
  for (const key of keys) {
    const { kind, repository } = partsOf(key)
    if (kind !== 'manifest') continue
    const subject = model.facts.get(key)?.subject
    if (subject !== undefined) subjects.add(manifestKey(repository, subject))
    // A subject that went or came does not change its referrers.
    if (model.referrersOf(key).size > 0) subjects.add(key)
  }
  return subjects
}

const repositoriesOf = (keys: readonly ObjectKey[]): Set<string> => new Set(keys.map((key) => partsOf(key).repository))

interface OfTag {
  readonly undecided?: ReadonlySet<string> | undefined
  readonly leadsToLoss?: (repository: string, digests: ReadonlySet<string>) => boolean
}

/** Looks, and says what is not as it may be. */
const see = async (
  verification: Verification,
  key: ObjectKey,
  { undecided, leadsToLoss }: OfTag = {},
): Promise<Sight> => {
  const { client, signal, model, findings, tally } = verification
  signal.throwIfAborted()
  const { kind, repository, name } = partsOf(key)
  const sight = await look(client, key)
  const possible = possibleNow(verification, key)
  const interval = { from: model.now(), to: model.now(), at: Date.now() }
  if (kind === 'blob' && !possible.has(absent) && model.mayBeCollected(repository, name, interval)) {
    possible.add(absent)
    if (sight.value === absent) tally.collected += 1
  }
  if (sight.value !== absent && sight.value !== broken) tally.verified += 1
  const verdict = judge(sight, { possible, undecided, written: model.registers.has(key) })
  const isGone = sight.value === broken || sight.value === absent
  if (verdict !== undefined && !(isGone && leadsToLoss?.(repository, possible) === true)) {
    const writes = model.registers.get(key)?.writes.map(({ operation }) => model.describe(operation)) ?? []
    const history = writes.length === 0 ? 'no writes since it was last seen' : writes.join(', ')
    findings.add(verdict.invariant, key, `${key} ${verdict.sentence} (${history})`, verdict)
  }
  if (kind === 'blob' && sight.value === present) await compareHead(verification, key, sight)
  return sight
}

const compareHead = async ({ client, findings }: Verification, key: ObjectKey, { bytes }: Sight): Promise<void> => {
  const { status, headers } = await client.send('HEAD', pathOf(key))
  const length = headers['content-length']
  // Garbage collection may have come between the two; then the blob was nobody's.
  if (status === 404 || (status === 200 && Number(length) === bytes?.byteLength)) return
  findings.add('I5', key, `HEAD of ${key} was answered ${status} with a length of ${String(length)}, and GET was fine`)
}

/** A tag that was served has its manifest under the digest, too. */
const followTags = async (
  verification: Verification,
  tags: readonly ObjectKey[],
  sights: Map<ObjectKey, Sight>,
): Promise<void> => {
  await inParallel(tags, lanes, async (tag) => {
    const value = sights.get(tag)?.value ?? absent
    if (value === absent || value === broken) return
    const manifest = manifestKey(partsOf(tag).repository, value)
    const sight = sights.get(manifest) ?? (await see(verification, manifest))
    sights.set(manifest, sight)
    if (sight.value !== present)
      verification.findings.add('I4', tag, `${tag} is ${value}, and GET by that digest gives ${sight.value}`)
  })
}

const compareReferrers = async (verification: Verification, subject: ObjectKey): Promise<void> => {
  const { client, model, findings } = verification
  const { repository, name } = partsOf(subject)
  const answer = await client.send('GET', `/v2/${repository}/referrers/${name}`)
  if (answer.status !== 200) {
    findings.add('I9', subject, `the referrers of ${subject} were answered ${answer.status}`)
    return
  }
  const listed = new Set(digestsIn(answer.body).map((digest) => manifestKey(repository, digest)))
  const known = model.referrersOf(subject)
  for (const key of known) {
    const possible = possibleNow(verification, key)
    if (!possible.has(absent) && !listed.has(key))
      findings.add('I9', key, `${key} is not among the referrers of its subject ${name}`)
    if (!possible.has(present) && listed.has(key))
      findings.add('I9', key, `${key} is gone, and among the referrers of ${name}`)
  }
  for (const key of listed) {
    if (!known.has(key)) findings.add('I9', key, `${key} is among the referrers of ${name}, and should not be there`)
  }
}

const digestsIn = (body: Buffer): string[] => {
  const index = JSON.parse(body.toString()) as { readonly manifests: readonly { readonly digest: string }[] }
  return index.manifests.map(({ digest }) => digest)
}

const compareTags = async (verification: Verification, repository: string): Promise<void> => {
  const { client, model, findings } = verification
  const answer = await client.send('GET', `/v2/${repository}/tags/list`)
  if (answer.status !== 200 && answer.status !== 404) {
    findings.add('I4', `tags of ${repository}`, `the tags of ${repository} were answered ${answer.status}`)
    return
  }
  const body = answer.status === 404 ? {} : (JSON.parse(answer.body.toString()) as { readonly tags?: string[] | null })
  const listed = new Set((body.tags ?? []).map((tag) => tagKey(repository, tag)))
  for (const key of model.tagsOf(repository)) {
    // What is broken is said already.
    const settled = model.registers.get(key)?.settled
    if (settled === broken || settled === undefined) continue
    if ((settled !== absent) !== listed.has(key))
      findings.add('I4', `list ${key}`, `${key} is ${settled}, and ${listed.has(key) ? '' : 'not '}in the list of tags`)
  }
}
