/** The stand-in for the referrers API: an index under a tag that is made of the subject's digest (distribution-spec, "Referrers Tag Schema"). */
import {
  type Descriptor,
  type Digest,
  digestOf,
  effectiveArtifactType,
  type Manifest,
  manifestMediaTypes,
  mediaTypes,
  referrersTag,
  safeParseManifest,
} from '@stowage/oci'
import { bytesContent } from '../content/content.ts'
import type { CallOptions } from '../content/ports.ts'
import { maxManifestSize } from '../content/verify.ts'
import { ClientError, isClientError, isNotFound } from '../errors.ts'
import { pullScope, pushScope } from '../transport/scopes.ts'
import type { Call } from '../transport/call.ts'
import { askAndRead, callOptions, describePlace, type RepositoryContext } from './place.ts'

interface ReferrersIndex {
  readonly manifests: readonly Descriptor[]
  /** As it came, with members that this client does not know. */
  readonly value: IndexJson
  /** Whether there is an index under the tag, nothing, or something that is none. */
  readonly state: 'index' | 'absent' | 'other'
  /** What the registry says of this state; undefined when there is nothing, or it does not say. */
  readonly etag: string | undefined
}

interface IndexJson {
  readonly manifests: readonly { readonly digest: string }[]
}

/**
 * The list under the tag. "If […] the tag schema does not return a valid image index, the client SHOULD assume there are no
 * referrers to the manifest." An index is what says that it is one: where one of its entries is broken, the others are not denied.
 *
 * @throws {ClientError} `invalid-content` for an index with entries that are none
 */
export const readReferrersTag = async (
  context: RepositoryContext,
  subject: Digest,
  options: CallOptions = {},
): Promise<ReferrersIndex> => {
  const { transport, own } = context
  const what = tagOf(context, subject)
  try {
    const call: Call = {
      registry: own.registry,
      repository: own.name,
      scopes: [pullScope(own.name)],
      method: 'GET',
      target: `/v2/${own.name}/manifests/${referrersTag(subject)}`,
      // Asked for an index alone, registries say of a tag that is something else that it is not there.
      headers: { accept: manifestMediaTypes.join(', ') },
      expect: [200],
      subject: what,
      ...callOptions(options),
    }
    return await askAndRead(transport, call, async (answer) => {
      const etag = answer.headers.get('etag') ?? undefined
      const bytes = await answer.bytes(maxManifestSize, what)
      const parsed = safeParseManifest(bytes)
      if (parsed.ok && parsed.value.kind === 'index') {
        const value = JSON.parse(new TextDecoder().decode(bytes)) as IndexJson
        return { manifests: parsed.value.manifests, value, state: 'index', etag }
      }
      if (!parsed.ok && saysIndex(bytes)) {
        throw new ClientError(
          'invalid-content',
          `${what}: the list of referrers is broken: ${parsed.problems[0]?.message}.`,
          {
            subject: what,
          },
        )
      }
      return { ...nothing, state: 'other', etag }
    })
  } catch (error) {
    if (isNotFound(error)) return nothing
    throw error
  }
}

const nothing: ReferrersIndex = { manifests: [], value: { manifests: [] }, state: 'absent', etag: undefined }

const tagOf = ({ own }: RepositoryContext, subject: Digest): string => `${describePlace(own)}:${referrersTag(subject)}`

const saysIndex = (bytes: Uint8Array): boolean => {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null && 'manifests' in value && Array.isArray(value.manifests)
  } catch {
    return false
  }
}

/** How often a change is made anew because another client's came in between. */
const mostTries = 10

/** Changes to one tag by this process, one after the other: each reads what the one before it wrote. */
const queues = new Map<string, Promise<unknown>>()

/** The new entries; undefined when the old ones are right. */
type Update = (entries: IndexJson['manifests']) => IndexJson['manifests'] | undefined

const change = async (
  context: RepositoryContext,
  subject: Digest,
  options: CallOptions,
  update: Update,
): Promise<void> => {
  const key = `${describePlace(context.own)}@${subject}`
  const before = queues.get(key) ?? Promise.resolve()
  const mine = before.catch(() => {}).then(() => changeAlone(context, subject, options, update))
  queues.set(key, mine)
  try {
    await mine
  } finally {
    if (queues.get(key) === mine) queues.delete(key)
  }
}

const changeAlone = async (
  context: RepositoryContext,
  subject: Digest,
  options: CallOptions,
  update: Update,
): Promise<void> => {
  for (let count = 1; ; count++) {
    const before = await readReferrersTag(context, subject, options)
    // "If that pull returns a manifest other than the expected image index, the client SHOULD report a failure and skip the
    // remaining steps."
    if (before.state === 'other') throw notAnIndex(tagOf(context, subject))
    const changed = update(before.value.manifests)
    if (changed === undefined) return
    try {
      await write(context, subject, { ...before, value: { ...before.value, manifests: changed } }, options)
    } catch (error) {
      // 412: another client was faster, and the registry noticed.
      if (!isClientError(error) || error.status !== 412 || count >= mostTries) throw error
      continue
    }
    // Most registries do not look at If-Match: whether another client wrote over it shows only afterwards.
    const after = await readReferrersTag(context, subject, options)
    if (update(after.value.manifests) === undefined) return
    if (count >= mostTries) {
      throw new ClientError(
        'rejected',
        `${describePlace(context.own)}: other clients keep changing the referrers of ${subject}.`,
        {
          hint: 'Try again when they are done.',
        },
      )
    }
  }
}

const notAnIndex = (subject: string): ClientError =>
  new ClientError('invalid-content', `${subject} must be an index of referrers, and is something else.`, {
    subject,
    hint: 'Delete this tag, or move it to an image index, and push again.',
  })

/** What others have written into the index, or into its entries, stays. */
const write = async (
  { transport, own, hash }: RepositoryContext,
  subject: Digest,
  { value, etag }: Pick<ReferrersIndex, 'value' | 'etag'>,
  options: CallOptions,
): Promise<void> => {
  const index = { schemaVersion: 2, ...value, mediaType: mediaTypes.ociImageIndex }
  const bytes = new TextEncoder().encode(JSON.stringify(index))
  if (bytes.byteLength > maxManifestSize) {
    throw new ClientError('too-large', `${describePlace(own)}: the list of the referrers of ${subject} is full.`)
  }
  const tag = referrersTag(subject)
  const answer = await transport.call({
    registry: own.registry,
    repository: own.name,
    scopes: [pushScope(own.name)],
    method: 'PUT',
    target: `/v2/${own.name}/manifests/${tag}`,
    headers: { 'content-type': mediaTypes.ociImageIndex, ...(etag === undefined ? {} : { 'if-match': etag }) },
    content: bytesContent(bytes),
    expect: [201],
    subject: `${describePlace(own)}:${tag} (${digestOf(bytes, hash)})`,
    ...callOptions(options),
  })
  await answer.discard()
}

/**
 * Puts a manifest into the list of its subject.
 *
 * "The value of the `artifactType` MUST be set to the `artifactType` value in the pushed manifest, if present. If the `artifactType`
 * is empty or missing in a pushed image manifest, the value of `artifactType` MUST be set to the config descriptor `mediaType` value.
 * All annotations from the pushed manifest MUST be copied to this descriptor."
 */
export const addReferrer = async (
  context: RepositoryContext,
  { mediaType, digest, size }: Descriptor,
  manifest: Manifest,
  subject: Digest,
  options: CallOptions = {},
): Promise<void> => {
  const artifactType = effectiveArtifactType(manifest)
  const { annotations } = manifest
  const entry: Descriptor = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  }
  await change(context, subject, options, (manifests) =>
    manifests.some((known) => known.digest === digest) ? undefined : [...manifests, entry],
  )
}

/** Takes a manifest that is deleted out of the list of its subject. */
export const removeReferrer = async (
  context: RepositoryContext,
  digest: Digest,
  subject: Digest,
  options: CallOptions = {},
): Promise<void> => {
  await change(context, subject, options, (manifests) => {
    const rest = manifests.filter((known) => known.digest !== digest)
    return rest.length === manifests.length ? undefined : rest
  })
}
