interface Member {
  readonly key: string
  /** Where its key begins. */
  readonly start: number
  /** Where its value begins. */
  readonly value: number
  /** Behind its value. */
  readonly end: number
}

/**
 * Sets a member of an object inside the object that the text is, or removes it (`undefined`): `object` names the inner one,
 * which is made if it is not there. Every other byte of the text stays: a file that a person has written is not formatted anew,
 * and a number or a name that only other programs understand is not touched.
 *
 * The text must be a JSON object, and the inner one an object or null.
 */
export const editMember = (text: string, object: string, key: string, value: unknown): string => {
  const root = text.indexOf('{')
  const outer = readMembers(text, root).findLast((member) => member.key === object)
  if (outer === undefined || text[outer.value] !== '{') {
    return value === undefined ? text : withMember(text, root, 1, object, { [key]: value })
  }
  return value === undefined ? withoutMember(text, outer.value, key) : withMember(text, outer.value, 2, key, value)
}

const withMember = (text: string, open: number, depth: number, key: string, value: unknown): string => {
  const members = readMembers(text, open)
  const { newline, unit } = styleOf(text)
  const indent = newline + unit.repeat(depth)
  const written = JSON.stringify(value, undefined, newline === '' ? undefined : unit).replaceAll('\n', indent)
  const known = members.findLast((member) => member.key === key)
  if (known !== undefined) return text.slice(0, known.value) + written + text.slice(known.end)
  const member = `${indent}${JSON.stringify(key)}:${newline === '' ? '' : ' '}${written}`
  const last = members.at(-1)
  if (last !== undefined) return `${text.slice(0, last.end)},${member}${text.slice(last.end)}`
  const close = text.indexOf('}', open)
  return text.slice(0, open + 1) + member + newline + (newline && unit.repeat(depth - 1)) + text.slice(close)
}

const withoutMember = (text: string, open: number, key: string): string => {
  const members = readMembers(text, open)
  const at = members.findIndex((member) => member.key === key)
  const member = members[at]
  if (member === undefined) return text
  const [before, after] = [members[at - 1], members[at + 1]]
  const rest =
    before !== undefined
      ? text.slice(0, before.end) + text.slice(member.end)
      : after !== undefined
        ? text.slice(0, member.start) + text.slice(after.start)
        : text.slice(0, open + 1) + text.slice(text.indexOf('}', member.end))
  // As often as it is there: a reader would take what is left of those that are called the same.
  return withoutMember(rest, open, key)
}

/** Docker indents by tabs. A text on one line stays on one line, unless there is nothing in it. */
const styleOf = (text: string): { newline: string; unit: string } => {
  const unit = /\n([ \t]+)"/.exec(text)?.[1] ?? '\t'
  const isOneLine = !text.trim().includes('\n') && text.includes('"')
  return isOneLine ? { newline: '', unit: '' } : { newline: text.includes('\r\n') ? '\r\n' : '\n', unit }
}

/** The members of the object that opens there, in a text that is known to be JSON. */
const readMembers = (text: string, open: number): Member[] => {
  const members: Member[] = []
  const tokens = /"(?:[^"\\]|\\.)*"|[^\s"]/g
  tokens.lastIndex = open + 1
  let depth = 0
  let key: string | undefined
  let [start, value, end] = [0, 0, 0]
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match
    if (depth === 0 && (token === ',' || token === '}')) {
      if (key !== undefined) members.push({ key, start, value, end })
      if (token === '}') break
      key = undefined
    } else if (key === undefined) {
      ;[key, start, value] = [JSON.parse(token) as string, match.index, 0]
    } else if (value !== 0 || token !== ':') {
      if (value === 0) value = match.index
      if (token === '{' || token === '[') depth++
      if (token === '}' || token === ']') depth--
      end = tokens.lastIndex
    }
  }
  return members
}
