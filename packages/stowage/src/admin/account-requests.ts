import type { IncomingMessage } from 'node:http'
import type { AccountErrorCode, Accounts } from '@stowage/registry'
import type { z } from 'zod'
import { type AccountOperation, accountOperations, type ServerFacts } from './account-operations.ts'
import type { AdminError, AdminErrorCode } from './api.ts'
import { traceOf } from './trace.ts'

/** Accounts, and what they have to know of where they are. */
export interface Administered {
  readonly accounts: Accounts
  readonly facts: ServerFacts
}

export interface AdminAnswer {
  readonly status: number
  readonly value: object
  /** For the log, when something was changed. */
  readonly trace?: object
}

/** No operation needs more. */
const maxBytes = 64 * 1024

const statuses: Readonly<Record<Exclude<AdminErrorCode, 'method-not-allowed' | 'failed'>, number>> = {
  invalid: 400,
  unknown: 404,
  'not-found': 404,
  exists: 409,
  'too-large': 413,
  'media-type': 415,
}

/** Does what the request asks of accounts. Rejects only for what is no fault of who asks. */
export const answerAccountRequest = async (
  { accounts, facts }: Administered,
  name: string,
  req: IncomingMessage,
): Promise<AdminAnswer> => {
  if (!isOperation(name)) {
    const names = Object.keys(accountOperations).join(', ')
    return refusal('not-found', `There is no such operation. There are ${names}.`)
  }
  const type = req.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') return refusal('media-type', 'The body must be application/json.')
  const body = await readBody(req)
  if (body === undefined) return refusal('too-large', `The body must have at most ${maxBytes} bytes.`)
  const given = parse(body)
  return given === undefined ? refusal('invalid', 'The body must be JSON.') : perform({ accounts, facts }, name, given)
}

/** Does one operation, with a body of which nothing is known yet. */
export const perform = async (
  { accounts, facts }: Administered,
  name: AccountOperation,
  given: unknown,
): Promise<AdminAnswer> => {
  const { body, run } = accountOperations[name] as Untyped
  const checked = body.safeParse(given)
  if (!checked.success) return invalid(checked.error)
  try {
    const value = await run(accounts, checked.data, facts)
    const trace = traceOf(name, value, checked.data)
    return { status: 200, value, ...(trace !== undefined && { trace }) }
  } catch (error) {
    if (isAccountError(error)) return refusal(error.code, error.message, error.field)
    throw error
  }
}

/** One of the operations, when it is not known which. */
interface Untyped {
  readonly body: z.ZodType
  readonly run: (accounts: Accounts, body: unknown, facts: ServerFacts) => Promise<object>
}

const isOperation = (name: string): name is AccountOperation => Object.hasOwn(accountOperations, name)

/** By its name, so that who only asks a server need not load the registry. */
const isAccountError = (
  error: unknown,
): error is Error & { readonly code: AccountErrorCode; readonly field: string | undefined } =>
  error instanceof Error && error.name === 'AccountError'

const refusal = (code: keyof typeof statuses, message: string, field?: string): AdminAnswer => {
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

const readBody = async (req: IncomingMessage): Promise<Uint8Array | undefined> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of req as AsyncIterable<Uint8Array>) {
    size += part.byteLength
    // Read to its end, or who sends it would see a broken connection and no answer.
    if (size <= maxBytes) parts.push(part)
  }
  return size > maxBytes ? undefined : Buffer.concat(parts)
}

/** Every body is an object, so there is a value that stands for none. */
const parse = (body: Uint8Array): unknown => {
  try {
    // What is no UTF-8 would otherwise become a password that nobody wrote.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown
  } catch {
    return undefined
  }
}
