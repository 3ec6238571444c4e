import type { Descriptor } from '@stowage/oci'
import type { ClientError } from '../errors.ts'
import { createQueueOf, type EventQueue } from './event-queue.ts'

/** As what something is copied. */
export type CopyRole = 'manifest' | 'blob'

/** What became of a manifest or blob. */
export type CopyOutcome = 'copied' | 'existing' | 'mounted'

/** What a copy tells of itself while it runs. */
export type CopyEvent =
  /** Something that will have to be there: its size counts towards the whole. */
  | { readonly type: 'found'; readonly role: CopyRole; readonly descriptor: Descriptor }
  /** Bytes of a blob that were sent; the number falls when a part is sent again. */
  | { readonly type: 'progress'; readonly descriptor: Descriptor; readonly sent: number }
  | { readonly type: 'done'; readonly role: CopyRole; readonly descriptor: Descriptor; readonly outcome: CopyOutcome }
  /** The source lists it as a referrer, and does not have it: the copy goes on without it. */
  | { readonly type: 'missing'; readonly descriptor: Descriptor }
  /** Something is tried again. */
  | { readonly type: 'retry'; readonly descriptor: Descriptor | undefined; readonly error: ClientError }

/** Progress of one blob takes the place of what nobody has heard of yet. */
export const keyOfCopyEvent = (event: CopyEvent): string | undefined =>
  event.type === 'progress' ? event.descriptor.digest : undefined

/** Progress is worth the least to who listens late, then what was found: what became of it is worth more. */
export const worthOfCopyEvent = ({ type }: CopyEvent): number => (type === 'progress' ? 0 : type === 'found' ? 1 : 2)

/** The events of one copy, on their way to whoever listens. */
export type CopyEvents = EventQueue<CopyEvent>

export const createEventQueue = (): CopyEvents =>
  createQueueOf<CopyEvent>({ keyOf: keyOfCopyEvent, worthOf: worthOfCopyEvent })
