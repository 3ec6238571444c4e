import { type Page, type Pages, toPages } from '../content/pages.ts'
import { ClientError } from '../errors.ts'
import type { Answer } from '../transport/answer.ts'
import { parseDestination, requireSameOrigin } from '../transport/origin.ts'

/** Bytes of one page that are read. */
const pageLimit = 8 * 1024 * 1024
/** Twice the pages of any list of a registry that means well: each is known by its address and by its first entry. */
const mostSeen = 200_000
/** Characters of what is known of them. */
const mostRemembered = 32 * 1024 * 1024
/** Pages in a row that bring nothing and promise more. */
const mostEmptyPages = 100

export interface LinkedList<T> {
  /** What it is, for messages. */
  readonly subject: string
  /** Asks for the first page when `next` is undefined, else for the page at that URL, and has it read. */
  readonly ask: <R>(next: string | undefined, read: (answer: Answer) => Promise<R>) => Promise<R>
  /** The items of a page's JSON. @throws {ClientError} `invalid-response` */
  readonly items: (body: unknown) => readonly T[]
}

/** A list whose pages name the next one in `Link: <…>; rel="next"` (RFC 8288; distribution-spec, "Listing Tags"). */
export const linkedPages = <T>({ subject, ask, items }: LinkedList<T>): Pages<T> =>
  toPages(async function* (): AsyncIterable<Page<T>> {
    const seen = new Set<string>()
    let remembered = 0
    const remember = (text: string): void => {
      if (!seen.has(text)) remembered += text.length
      seen.add(text)
    }
    let next: string | undefined
    let empty = 0
    do {
      const { url, page, link } = await ask(next, async (answer) => {
        const body = await readJson(answer, subject)
        return { url: answer.url, page: items(body), link: nextOf(answer, subject) }
      })
      remember(url)
      next = link
      const [first] = page
      empty = first === undefined ? empty + 1 : 0
      // A list is in order: what began a page begins no later one, whatever that calls itself.
      const begins = first === undefined ? undefined : JSON.stringify(first)
      const repeats = begins !== undefined && seen.has(begins)
      const endless = seen.size >= mostSeen || remembered >= mostRemembered || empty >= mostEmptyPages
      if (repeats || (next !== undefined && (seen.has(next) || endless))) {
        throw new ClientError('invalid-response', `${subject}: the registry's list has no end: its pages repeat.`, {
          subject,
        })
      }
      if (begins !== undefined) remember(begins)
      yield { items: page, more: next !== undefined }
    } while (next !== undefined)
  })

const readJson = async (answer: Answer, subject: string): Promise<unknown> => {
  const bytes = await answer.bytes(pageLimit, subject)
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch (cause) {
    throw new ClientError('invalid-response', `${subject}: the registry did not answer with JSON.`, { subject, cause })
  }
}

const nextOf = ({ headers, url }: Answer, subject: string): string | undefined => {
  const target = parseNextLink(headers.get('link'), subject)
  if (target === undefined) return undefined
  const next = parseDestination(target, url, 'Link')
  requireSameOrigin(url, next, 'Link')
  return next.href
}

const target = /[\s,]*<([^<>]*)>/y
const parameter = /[ \t]*;[ \t]*([^\s=;,"<>]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"<>]*)))?/y

/** Characters of a header that are read. */
const headerLimit = 16 * 1024

/**
 * The target of the link whose relation is `next`; one without a relation is taken for it. (RFC 8288, section 3: a target may have
 * commas and semicolons in it, and so may the values of parameters.)
 *
 * @throws {ClientError} `invalid-response` for what cannot be read: taken for the end, it would cut the list short
 */
export const parseNextLink = (header: string | null, subject: string): string | undefined => {
  if (header === null) return undefined
  if (header.length > headerLimit) throw unreadable(header, subject)
  let at = 0
  const read = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(header) ?? undefined
    if (match !== undefined) at = pattern.lastIndex
    return match
  }
  for (let link = read(target); link !== undefined; link = read(target)) {
    let relation: string | undefined
    for (let found = read(parameter); found !== undefined; found = read(parameter)) {
      const [, name = '', quoted, bare] = found
      // "The rel parameter MUST NOT appear more than once …; occurrences after the first MUST be ignored"
      if (name.toLowerCase() === 'rel') relation ??= quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? ''
    }
    // Only a comma, or the end, ends a link: behind anything else it is not known what it says.
    if (!/^\s*(?:,|$)/.test(header.slice(at))) throw unreadable(header, subject)
    if ((relation ?? 'next').toLowerCase().split(/\s+/).includes('next')) return link[1]
  }
  if (!/^[\s,]*$/.test(header.slice(at))) throw unreadable(header, subject)
  return undefined
}

const unreadable = (header: string, subject: string): ClientError =>
  new ClientError(
    'invalid-response',
    `${subject}: where the registry's list goes on cannot be read (Link: ${JSON.stringify(header.slice(0, 200))}).`,
    { subject },
  )
