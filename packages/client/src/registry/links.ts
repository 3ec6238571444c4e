import { type Page, type Pages, toPages } from '../content/pages.ts'
import { readAll } from '../content/verify.ts'
import { ClientError } from '../errors.ts'
import type { Answer } from '../transport/exchange.ts'
import { parseDestination, requireSameOrigin } from '../transport/origin.ts'

/** Bytes of one page that are read. */
const pageLimit = 8 * 1024 * 1024
/** More pages than any list of a registry has that means well. */
const mostPages = 100_000
/** Pages in a row that bring nothing and promise more. */
const mostEmptyPages = 100

export interface LinkedList<T> {
  /** What it is, for messages. */
  readonly subject: string
  /** The first page when `next` is undefined; else the page at that URL. */
  readonly ask: (next: string | undefined) => Promise<Answer>
  /** The items of a page's JSON. @throws {ClientError} `invalid-response` */
  readonly items: (body: unknown, answer: Answer) => readonly T[] | Promise<readonly T[]>
}

/** A list whose pages name the next one in `Link: <…>; rel="next"` (RFC 8288; distribution-spec, "Listing Tags"). */
export const linkedPages = <T>({ subject, ask, items }: LinkedList<T>): Pages<T> =>
  toPages(async function* (): AsyncIterable<Page<T>> {
    const seen = new Set<string>()
    let next: string | undefined
    let empty = 0
    do {
      const answer = await ask(next)
      const page = await items(await readJson(answer, subject), answer)
      next = nextOf(answer)
      empty = page.length === 0 ? empty + 1 : 0
      if (next !== undefined && (seen.has(next) || seen.size >= mostPages || empty >= mostEmptyPages)) {
        throw new ClientError('invalid-response', `${subject}: the registry's list has no end: its pages repeat.`, {
          subject,
        })
      }
      if (next !== undefined) seen.add(next)
      yield { items: page, more: next !== undefined }
    } while (next !== undefined)
  })

export const readJson = async ({ body }: Pick<Answer, 'body'>, subject: string, limit = pageLimit): Promise<unknown> => {
  const bytes = await readAll(body, limit, subject)
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch (cause) {
    throw new ClientError('invalid-response', `${subject}: the registry did not answer with JSON.`, { subject, cause })
  }
}

const nextOf = ({ headers, url }: Answer): string | undefined => {
  const target = parseNextLink(headers.get('link'))
  if (target === undefined) return undefined
  const next = parseDestination(target, url, 'Link')
  requireSameOrigin(url, next, 'Link')
  return next.href
}

/** The target of the link whose relation is `next`; one without a relation is taken for it. */
export const parseNextLink = (header: string | null): string | undefined => {
  if (header === null || header.length > 16 * 1024) return undefined
  for (const [, target = '', parameters = ''] of header.matchAll(/<([^<>]*)>([^<]*)/g)) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters)
    const names = (relation?.[1] ?? relation?.[2] ?? 'next').toLowerCase().split(/\s+/)
    if (names.includes('next')) return target
  }
  return undefined
}
