import { ClientError, isClientError } from '../errors.ts'

/** The signal of whoever never wants to stop. */
export const never: AbortSignal = new AbortController().signal

/** What is told of work that was stopped: its reason, where that is an error of this package that says so. */
export const stopped = (reason: unknown): ClientError =>
  isClientError(reason, 'aborted') ? reason : new ClientError('aborted', 'Stopped as asked.', { cause: reason })
