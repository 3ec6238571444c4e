import type { Descriptor, Digest } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import { ClientError, isNotFound } from '../errors.ts'
import { deleteScope, pullScope } from '../transport/scopes.ts'
import type { Call } from '../transport/call.ts'
import { callOptions, describePlace, type Place, readAny, type RepositoryContext } from './place.ts'

export const blobSubject = (place: Place, digest: Digest): string => `${describePlace(place)}@${digest}`

/**
 * end-2 by HEAD, of the registry itself: what a mirror has says nothing of where a push goes. A blob of another length is none:
 * pushed again it may become whole.
 */
export const hasBlob = async (
  { transport, own }: RepositoryContext,
  { digest, size }: { readonly digest: Digest; readonly size?: number },
  options: CallOptions = {},
): Promise<boolean> => {
  try {
    const answer = await transport.call({
      registry: own.registry,
      repository: own.name,
      scopes: [pullScope(own.name)],
      method: 'HEAD',
      target: `/v2/${own.name}/blobs/${digest}`,
      expect: [200],
      subject: blobSubject(own, digest),
      ...callOptions(options),
    })
    await answer.discard()
    const length = answer.headers.get('content-length')
    return size === undefined || length === null || Number(length) === size
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** end-10. */
export const deleteBlob = async (
  { transport, own }: RepositoryContext,
  digest: Digest,
  options: CallOptions = {},
): Promise<void> => {
  const answer = await transport.call({
    registry: own.registry,
    repository: own.name,
    scopes: [deleteScope(own.name)],
    method: 'DELETE',
    target: `/v2/${own.name}/blobs/${digest}`,
    expect: [200, 202, 204],
    subject: blobSubject(own, digest),
    ...callOptions(options),
  })
  await answer.discard()
}

/** A blob whose length nobody told: asked for, so that it can be verified. @throws {ClientError} `not-found` */
export const describeBlob = async (
  context: RepositoryContext,
  digest: Digest,
  options: CallOptions = {},
): Promise<Descriptor> => {
  const subject = blobSubject(context.own, digest)
  const build = ({ registry, name }: Place): Call => ({
    registry,
    repository: name,
    scopes: [pullScope(name)],
    method: 'HEAD',
    target: `/v2/${name}/blobs/${digest}`,
    expect: [200],
    subject,
    ...callOptions(options),
  })
  return readAny(context, build, async (answer) => {
    await answer.discard()
    const length = answer.headers.get('content-length')
    if (length === null || !/^\d{1,15}$/.test(length)) {
      throw new ClientError('invalid-response', `${subject}: the registry does not say how long the blob is.`, {
        subject,
      })
    }
    const mediaType = answer.headers.get('content-type') ?? 'application/octet-stream'
    return { mediaType, digest, size: Number(length) }
  })
}
