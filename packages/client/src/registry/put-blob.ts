import type { Descriptor } from '@stowage/oci'
import type { Content } from '../content/content.ts'
import type { BlobOutcome, PutBlobOptions } from '../content/ports.ts'
import { ClientError, isClientError } from '../errors.ts'
import { pullScope, pushScope } from '../transport/scopes.ts'
import type { Call } from '../transport/call.ts'
import { blobSubject, hasBlob } from './blobs.ts'
import { callOptions, type RepositoryContext } from './place.ts'
import { openUpload, startUpload, type Upload } from './upload.ts'

/** Registries that answered a POST with the whole blob by beginning an upload (202): it is not tried again. */
const withoutSinglePost = new WeakMap<object, Set<string>>()

/**
 * The shortest way to have a blob in a repository: it is there; it can be mounted; it goes with one POST (end-4b); it goes
 * into an upload that a broken connection does not end (end-4a, end-5, end-6).
 */
export const putBlob = async (
  context: RepositoryContext,
  descriptor: Descriptor,
  content: Content,
  options: PutBlobOptions = {},
): Promise<BlobOutcome> => {
  const { transport, own } = context
  if (content.size !== undefined && content.size !== descriptor.size) {
    const subject = blobSubject(own, descriptor.digest)
    throw new ClientError('digest-mismatch', `${subject} must have ${descriptor.size} bytes, not ${content.size}.`, {
      subject,
    })
  }
  if (options.absent !== true && (await hasBlob(context, descriptor, options))) return 'existing'
  for (const from of options.mountFrom ?? []) {
    if (await mountBlob(context, descriptor, from, options)) return 'mounted'
  }
  const host = transport.host(own.registry)
  const refused = withoutSinglePost.get(transport) ?? new Set()
  withoutSinglePost.set(transport, refused)
  let upload: Upload | undefined
  if (content.size !== undefined && content.size <= host.singlePostUpTo && !refused.has(own.registry)) {
    const answer = await transport.call({
      ...sending(context, descriptor, content, options),
      method: 'POST',
      target: `/v2/${own.name}/blobs/uploads/`,
      query: { digest: descriptor.digest },
      expect: [201, 202],
      // The same bytes under the same name: doing it twice is doing it once.
      repeatable: true,
    })
    if (answer.status === 201) {
      await answer.discard()
      return 'uploaded'
    }
    // "Registries that do not support single request monolithic uploads SHOULD return a `202 Accepted` status code and `Location`
    // header and clients SHOULD proceed with a subsequent PUT request"
    refused.add(own.registry)
    upload = await openUpload(context, answer)
  }
  await sendBlob(context, descriptor, content, options, upload)
  return 'uploaded'
}

/** An upload that the registry has forgotten is begun anew, as often as a host's attempts allow. */
const sendBlob = async (
  context: RepositoryContext,
  descriptor: Descriptor,
  content: Content,
  options: PutBlobOptions,
  begun: Upload | undefined,
): Promise<void> => {
  const { attempts, singlePostUpTo } = context.transport.host(context.own.registry)
  const isSmall = content.size !== undefined && content.size <= singlePostUpTo
  let upload = begun
  let renewed = false
  let unreadable = false
  const told = telling(content, (failed) => void (unreadable = failed))
  for (let count = 1; ; count++) {
    upload ??= await startUpload(context, options)
    let resumed = false
    const onRetry = (error: ClientError): void => {
      resumed = true
      options.onRetry?.(error)
    }
    try {
      if (isSmall && upload.offset === 0) {
        await upload.commit(descriptor.digest, { ...options, content: told })
      } else {
        await upload.write(told, { ...options, onRetry })
        await upload.commit(descriptor.digest, options)
      }
      return
    } catch (error) {
      await upload[Symbol.asyncDispose]()
      upload = undefined
      // "Not found" of the content itself says nothing of the upload.
      if (count >= attempts || !isClientError(error) || unreadable) throw error
      // Once: the second time it is no accident.
      const miscounted: boolean = resumed && !renewed && isMiscounted(error)
      if (!isLost(error) && !miscounted) throw error
      renewed ||= miscounted
      options.onRetry?.(error)
      options.onProgress?.(0)
    }
  }
}

/** The same content, which tells whether its last reading failed. */
const telling = (content: Content, tell: (failed: boolean) => void): Content => ({
  ...(content.blob === undefined ? {} : { blob: content.blob }),
  size: content.size,
  async *open(options) {
    tell(false)
    try {
      yield* content.open(options)
    } catch (error) {
      tell(true)
      throw error
    }
  },
})

/**
 * An upload that is not there any more, or whose place nobody can tell. Registries that lose it when a connection breaks say
 * 404, or that the request does not fit.
 */
const isLost = ({ code, side, errors }: ClientError): boolean =>
  side !== 'source' &&
  (code === 'not-found' || errors.some((each) => ['BLOB_UPLOAD_INVALID', 'BLOB_UPLOAD_UNKNOWN'].includes(each.code)))

/** After a resumption the registry may have lost count, where it says less of its place than one has to know. */
const isMiscounted = ({ code, status }: ClientError): boolean =>
  status === undefined ? code === 'invalid-response' : code === 'digest-mismatch'

const sending = (
  { own }: RepositoryContext,
  { digest }: Descriptor,
  content: Content,
  options: PutBlobOptions,
): Pick<Call, 'registry' | 'repository' | 'scopes' | 'headers' | 'content' | 'subject' | 'onProgress' | 'signal'> => ({
  registry: own.registry,
  repository: own.name,
  scopes: [pushScope(own.name)],
  headers: { 'content-type': 'application/octet-stream' },
  content,
  subject: blobSubject(own, digest),
  onProgress: options.onProgress,
  ...callOptions(options),
})

/** end-11. What does not work for one reason or another is no mount; the blob is sent then. */
export const mountBlob = async (
  context: RepositoryContext,
  { digest }: Pick<Descriptor, 'digest'>,
  from: string,
  options: PutBlobOptions = {},
): Promise<boolean> => {
  const { transport, own } = context
  if (from === own.name) return false
  try {
    const answer = await transport.call({
      registry: own.registry,
      repository: own.name,
      scopes: [pushScope(own.name), pullScope(from)],
      method: 'POST',
      target: `/v2/${own.name}/blobs/uploads/`,
      query: { mount: digest, from },
      expect: [201, 202],
      subject: blobSubject(own, digest),
      repeatable: true,
      ...callOptions(options),
    })
    if (answer.status === 201) {
      await answer.discard()
      return true
    }
    // It began an upload instead, which nobody wants.
    await using _ = await openUpload(context, answer)
    return false
  } catch (error) {
    const refused = isClientError(error) && error.status !== undefined && error.status >= 400 && error.status < 500
    // Also a 401: who may not read there may well write here.
    if (refused && error.code !== 'rate-limited') return false
    throw error
  }
}
