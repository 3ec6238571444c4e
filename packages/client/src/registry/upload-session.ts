import type { Digest } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import type { Answer } from '../transport/answer.ts'
import { pushScope } from '../transport/scopes.ts'
import type { Call } from '../transport/call.ts'
import { callOptions, describePlace, type RepositoryContext } from './place.ts'
import { locationOf } from './upload-location.ts'
import type { UploadState } from './upload-token.ts'

/** What one PATCH sends. */
export interface Part extends Pick<Call, 'content' | 'offset'> {
  /** Bytes; undefined when it goes to an end that nobody knows yet. */
  readonly length: number | undefined
}

/** The requests of one upload, and what their answers say of it. */
export interface UploadSession {
  readonly state: State
  /** end-13: asks how far it is. @throws {ClientError} `not-found` */
  status(options?: CallOptions): Promise<number>
  /** end-5. `state` is where the registry says it is afterwards. */
  patch(part: Part, options: CallOptions & { readonly onProgress?: (offset: number) => void }): Promise<void>
  /** end-6, with the whole blob (end-4b's second half) when nothing was sent before. */
  close(digest: Digest, options: CallOptions & Pick<Call, 'content' | 'onProgress'>): Promise<void>
  /** end-14. */
  cancel(options?: CallOptions): Promise<void>
}

interface State extends Writable<UploadState> {
  open: boolean
}

type Writable<T> = { -readonly [key in keyof T]: T[key] }

export const pushing = (
  { own }: RepositoryContext,
  options: CallOptions,
): Pick<Call, 'registry' | 'repository' | 'scopes' | 'subject' | 'signal' | 'onRetry'> => ({
  registry: own.registry,
  repository: own.name,
  scopes: [pushScope(own.name)],
  subject: `an upload to ${describePlace(own)}`,
  ...callOptions(options),
})

export const createSession = (context: RepositoryContext, begun: UploadState): UploadSession => {
  const state: State = { ...begun, open: true }
  const { transport, own } = context
  const host = transport.host(own.registry)
  // The endpoint may have a path, and a Location has it as well.
  const here = (): string => `${new URL(host.endpoint).origin}${state.location}`

  /** Every answer may say where to go on, and how far it is. */
  const learn = (answer: Answer, otherwise: number): void => {
    if (answer.headers.has('location')) state.location = locationOf(context, answer)
    const range = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.get('range')?.trim() ?? '')?.[1]
    // "0-0" is one byte, and what is said before the first one.
    state.offset = range === undefined || (range === '0' && otherwise === 0) ? otherwise : Number(range) + 1
  }

  const status = async (options: CallOptions = {}): Promise<number> => {
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'GET',
      target: here(),
      // "204" is what the specification has.
      expect: [200, 202, 204],
    })
    await answer.discard()
    // A registry that has nothing says 0-0, which might be one byte: it is sent again if need be.
    learn(answer, 0)
    return state.offset
  }

  const patch: UploadSession['patch'] = async ({ length, ...part }, options) => {
    const from = state.offset
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'PATCH',
      target: here(),
      headers: {
        'content-type': 'application/octet-stream',
        ...(length === undefined || length === 0 ? {} : { 'content-range': `${from}-${from + length - 1}` }),
      },
      ...part,
      ...(length === undefined ? {} : { length }),
      expect: [202],
      onProgress: (sent) => options.onProgress?.(from + sent),
    })
    await answer.discard()
    learn(answer, length === undefined ? Number.NaN : from + length)
    if (Number.isNaN(state.offset)) await status(options)
  }

  const close: UploadSession['close'] = async (digest, { content, onProgress, ...options }) => {
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'PUT',
      target: here(),
      query: { digest },
      headers: {
        'content-type': 'application/octet-stream',
        ...(content === undefined ? { 'content-length': '0' } : {}),
      },
      ...(content === undefined ? {} : { content }),
      onProgress,
      expect: [201],
      repeatable: false,
    })
    await answer.discard()
  }

  const cancel = async (options: CallOptions = {}): Promise<void> => {
    state.open = false
    const answer = await transport.call({
      ...pushing(context, options),
      method: 'DELETE',
      target: here(),
      // Gone already, or not known how: it expires.
      expect: [200, 202, 204, 404, 405],
    })
    await answer.discard()
  }

  return { state, status, patch, close, cancel }
}
