import type { z } from 'zod'
import type { AdminError, AdminErrorCode } from './api.ts'

/**
 * Something that the server can be asked to do. The schema says which members the body has and of what type, and refuses any
 * other; what is wrong with their values `run` may find as well.
 */
export interface Operation<C, B, A extends object> {
  readonly body: z.ZodType<B>
  /** @param signal Aborts when nobody waits for the answer any more, or the server stops. */
  run(context: C, body: B, signal: AbortSignal): Promise<A>
}

/** Operations of one kind, with what they work on. */
export interface OperationGroup {
  /** Before their names: `POST /v1/accounts/user-add`. */
  readonly path: string
  readonly names: readonly string[]
  /** Does one, with a body of which nothing is known yet. Rejects only for what is no fault of who asks. */
  perform(name: string, given: unknown, signal: AbortSignal): Promise<AdminAnswer>
}

export interface AdminAnswer {
  readonly status: number
  readonly value: object
  /** For the log, when something was changed. */
  readonly trace?: object
}

/** What cannot be done, for a reason that who asks can do something about. */
export class OperationError extends Error {
  override readonly name = 'OperationError'
  readonly code: 'invalid' | 'unknown' | 'exists' | 'storage'
  /** The member of the body that is wrong. */
  readonly field: string | undefined

  constructor(
    code: OperationError['code'],
    message: string,
    options: { readonly field?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.field = options.field
  }
}

export type OperationTable<C> = Readonly<
  Record<string, { readonly body: z.ZodType; run(context: C, body: never, signal: AbortSignal): Promise<object> }>
>

/** @param traceOf What the log shall say of an operation that was done; undefined when it changed nothing. */
export const operationGroup = <C>(
  path: string,
  table: OperationTable<C>,
  context: C,
  traceOf: (name: string, answer: object, body: unknown) => object | undefined,
): OperationGroup => ({
  path,
  names: Object.keys(table),
  perform: async (name, given, signal) => {
    const operation = Object.hasOwn(table, name) ? table[name] : undefined
    if (operation === undefined) {
      return refusal('not-found', `There is no such operation. There are ${Object.keys(table).join(', ')}.`)
    }
    const checked = operation.body.safeParse(given)
    if (!checked.success) return invalid(checked.error)
    try {
      const value = await operation.run(context, checked.data as never, signal)
      const trace = traceOf(name, value, checked.data)
      return { status: 200, value, ...(trace !== undefined && { trace }) }
    } catch (error) {
      if (isExpected(error)) return refusal(error.code, error.message, error.field)
      if (error instanceof Error && error.name === 'RegistryError') return refusal('refused', error.message)
      throw error
    }
  },
})

/** Of accounts by its name, so that who only asks a server need not load the registry. */
const isExpected = (
  error: unknown,
): error is Error & { readonly code: OperationError['code']; readonly field: string | undefined } =>
  error instanceof Error && (error.name === 'OperationError' || error.name === 'AccountError')

const statuses: Readonly<Record<Exclude<AdminErrorCode, 'method-not-allowed' | 'failed'>, number>> = {
  invalid: 400,
  refused: 403,
  unknown: 404,
  'not-found': 404,
  exists: 409,
  'too-large': 413,
  'media-type': 415,
  storage: 507,
}

export const refusal = (code: keyof typeof statuses, message: string, field?: string): AdminAnswer => {
  const value: AdminError = { error: { code, message, ...(field !== undefined && { field }) } }
  return { status: statuses[code], value }
}

/** What is wrong and where; never what was given, which may be a password. */
const invalid = ({ issues }: z.ZodError): AdminAnswer => {
  const [issue] = issues
  const path = (issue?.path ?? []).map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  const field = path.replace(/^\./, '')
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys : undefined
  const message =
    unknown === undefined
      ? `${field === '' ? 'The body' : field}: ${issue?.message ?? 'it is not understood'}`
      : `There is no member ${unknown.map((key) => JSON.stringify(`${field === '' ? '' : `${field}.`}${key}`)).join(', ')}.`
  return refusal('invalid', message, field === '' ? unknown?.[0] : field)
}
