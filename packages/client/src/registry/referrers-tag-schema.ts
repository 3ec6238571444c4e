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
import { maxManifestSize, readAll } from '../content/verify.ts'
import { ClientError, isClientError, isNotFound } from '../errors.ts'
import { pullScope, pushScope } from '../transport/scopes.ts'
import type { Call } from '../transport/transport.ts'
import { askAndRead, callOptions, describePlace, type RepositoryContext } from './place.ts'

interface ReferrersIndex {
  readonly manifests: readonly Descriptor[]
  /** What the registry says of this state; undefined when there is no index, or it does not say. */
  readonly etag: string | undefined
}

/** "If that pull returns a manifest other than an image index … the client SHOULD report a failure"; no tag is no referrers. */
export const readReferrersTag = async (
  context: RepositoryContext,
  subject: Digest,
  options: CallOptions = {},
): Promise<ReferrersIndex> => {
  const { transport, own } = context
  const tag = referrersTag(subject)
  const what = `${describePlace(own)}:${tag}`
  try {
    const call: Call = {
      registry: own.registry,
      repository: own.name,
      scopes: [pullScope(own.name)],
      method: 'GET',
      target: `/v2/${own.name}/manifests/${tag}`,
      // Asked for an index alone, registries say of a tag that is something else that it is not there.
      headers: { accept: manifestMediaTypes.join(', ') },
      expect: [200],
      subject: what,
      ...callOptions(options),
    }
    return await askAndRead(transport, call, async ({ headers, body }) => {
      const etag = headers.get('etag') ?? undefined
      const parsed = safeParseManifest(await readAll(body, maxManifestSize, what))
      if (!parsed.ok || parsed.value.kind !== 'index') {
        throw new ClientError('invalid-content', `${what} must be an index of referrers, and is something else.`, {
          subject: what,
        })
      }
      return { manifests: parsed.value.manifests, etag }
    })
  } catch (error) {
    if (isNotFound(error)) return { manifests: [], etag: undefined }
    throw error
  }
}

/** How often a change is made anew because another client's came in between. */
const mostTries = 10

/** Changes to one tag by this process, one after the other: each reads what the one before it wrote. */
const queues = new Map<string, Promise<unknown>>()

const change = async (
  context: RepositoryContext,
  subject: Digest,
  options: CallOptions,
  update: (manifests: readonly Descriptor[]) => readonly Descriptor[] | undefined,
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
  update: (manifests: readonly Descriptor[]) => readonly Descriptor[] | undefined,
): Promise<void> => {
  for (let count = 1; ; count++) {
    const { manifests, etag } = await readReferrersTag(context, subject, options)
    const changed = update(manifests)
    if (changed === undefined) return
    try {
      await write(context, subject, changed, etag, options)
    } catch (error) {
      // 412: another client was faster, and the registry noticed.
      if (!isClientError(error) || error.status !== 412 || count >= mostTries) throw error
      continue
    }
    // Most registries do not look at If-Match: whether another client wrote over it shows only afterwards.
    const after = await readReferrersTag(context, subject, options)
    if (update(after.manifests) === undefined) return
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

const write = async (
  { transport, own, hash }: RepositoryContext,
  subject: Digest,
  manifests: readonly Descriptor[],
  etag: string | undefined,
  options: CallOptions,
): Promise<void> => {
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests }
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
 * "the value of `artifactType` MUST be set …"; "the `annotations` … MUST be [those] of the image manifest"
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
