const longest = 80

/** A piece of input as it may stand in a message: quoted, control characters escaped, and short however long the input is. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') {
    return value.length <= longest
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, longest))}… (${value.length} characters)`
  }
  if (value === undefined) return 'nothing'
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
