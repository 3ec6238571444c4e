import type { Method } from '../transport/call.ts'

/** The method by its name, as Go has it. */
export const GET = 'GET'
/** The method by its name, as Go has it. */
export const PUT = 'PUT'
/** The method by its name, as Go has it. */
export const PATCH = 'PATCH'
/** The method by its name, as Go has it. */
export const DELETE = 'DELETE'
/** The method by its name, as Go has it. */
export const POST = 'POST'
/** The method by its name, as Go has it. */
export const HEAD = 'HEAD'
/** The method by its name, as Go has it. */
export const OPTIONS = 'OPTIONS'

const methods: readonly Method[] = [GET, PUT, PATCH, DELETE, POST, HEAD, OPTIONS]

export const isMethod = (value: unknown): value is Method => (methods as readonly unknown[]).includes(value)

export const knownMethods = methods.join(', ')
