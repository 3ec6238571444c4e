import { ClientError } from '../errors.ts'

/**
 * The value of a JSON text that holds secrets.
 *
 * @throws {ClientError} `invalid-content` with `name` and the place, never with a piece of the text: what `JSON.parse` throws
 * quotes it
 */
export const parseSecretJson = (name: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    const at = endOfJson(text)
    const lines = at === undefined ? [] : text.slice(0, at).split('\n')
    const place = at === undefined ? '' : ` at line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`
    throw new ClientError('invalid-content', `${name} is not JSON${place}.`, {
      subject: name,
      hint: 'Mend it by hand: it is left as it is.',
    })
  }
}

/** Where a text stops to be JSON, as far as the engine tells. */
const endOfJson = (text: string): number | undefined => {
  const fault = faultOf(text)
  if (fault === 'Unexpected end of JSON input') return text.length
  if (!isUnexpectedToken(fault)) {
    const told = / at position ([0-9]+)/.exec(fault)?.[1]
    return told === undefined ? undefined : Number(told)
  }
  // This one message quotes the text and tells no place. Of the texts cut short, those that have the token get the message.
  let [without, having] = [0, text.length]
  while (having - without > 1) {
    const middle = (without + having) >> 1
    if (isUnexpectedToken(faultOf(text.slice(0, middle)))) having = middle
    else without = middle
  }
  return without
}

const isUnexpectedToken = (fault: string): boolean => fault.startsWith('Unexpected token')

const faultOf = (text: string): string => {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}
