import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { readAll } from '../content/verify.ts'
import { type LinkedList, linkedPages, parseNextLink } from './links.ts'

describe('the link to the next page', () => {
  test.each<[string | null, string | undefined]>([
    ['</v2/_catalog?last=a&n=2>; rel="next"', '/v2/_catalog?last=a&n=2'],
    ['<?last=a>;rel=next', '?last=a'],
    ['<https://a.example/b> ; REL="NEXT"', 'https://a.example/b'],
    ['<a>; rel = "prev next last"', 'a'],
    ['<a>', 'a'],
    ['<a>; type="application/json"', 'a'],
    ['<>; rel=next', ''],
    ['</first>; rel="first", </next>; rel="next"', '/next'],
    ['</first,page>; rel="first",</next;page,2>; rel="next"', '/next;page,2'],
    ['</last>; title="a, <b>"; rel=last, </next>; rel="next"', '/next'],
    ['</last>; title="a, <b>; rel=next"; rel=last', undefined],
    ['<a>; title="x; rel=prev"; rel="prefetch next"', 'a'],
    [String.raw`<a>; title="x\"; rel=prev"; rel="next"`, 'a'],
    ['<a>; rel=prev; rel=next', undefined],
    ['<a>; rel=next; rel=prev', 'a'],
    ['<a>; rel="prev"', undefined],
    ['<a>; rel=nextish', undefined],
    ['<a>; rel=', undefined],
    ['<a>; rel', undefined],
    [',,<a>; rel=next', 'a'],
    [null, undefined],
    ['', undefined],
  ])('%s', (header, expected) => {
    expect(parseNextLink(header, 'the list')).toBe(expected)
  })

  test.each([
    '<',
    'next',
    '/v2/x/tags/list?last=a; rel="next"',
    '<a; rel="next"',
    '/a>; rel="next"',
    '<a>; rel="next',
    '<a> rel="next"',
    '<a>; rel="prev" x, <b>; rel=next',
    '<a>; rel="prev", b; rel=next',
    `<${'a'.repeat(20_000)}>; rel="next"`,
  ])('is not taken for the end of the list where it cannot be read: %s', (header) => {
    expect(() => parseNextLink(header, 'the list')).toThrowError(
      expect.objectContaining({ code: 'invalid-response', subject: 'the list' }),
    )
  })

  it('throws nothing else', () => {
    const part = fc.constantFrom('<', '>', ';', ',', '"', '\\', 'rel', '=', 'next', ' ', 'a')
    const texts = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 40 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseNextLink(text, '')
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-response' })
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('takes no longer for a header made to be slow', () => {
    for (const piece of ['<a>,', '<a>;a="', ';a', ' \t', '<', '\\"']) {
      try {
        parseNextLink(`<a>; rel=prev${piece.repeat(16 * 1024)}`.slice(0, 16 * 1024), '')
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid-response' })
      }
    }
  })
})

interface PageOf {
  readonly body: unknown
  readonly link?: string
}

/** A list by its pages, each with its address. */
const listOf = (page: (url: string) => PageOf, start = 'https://a.example/v2/x/tags/list') => {
  const asked: string[] = []
  const list: LinkedList<string> = {
    subject: 'the list',
    ask: async (next = start, read) => {
      asked.push(next)
      const { body, link } = page(next)
      const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
      const content = {
        body: bytesContent(bytes).open(),
        bytes: async (limit: number) => readAll(bytesContent(bytes).open(), limit, 'a page'),
        glance: async () => bytes,
      }
      const headers = new Headers(link === undefined ? {} : { link })
      return read({ status: 200, headers, url: next, empty: false, ...content, discard: async () => {} })
    },
    items: (body) => body as string[],
  }
  return { asked, list: linkedPages(list) }
}

const next = (target: string): string => `<${target}>; rel="next"`
const numberOf = (url: string): number => Number(new URL(url).searchParams.get('last') ?? 0)

describe('a list that goes on by links', () => {
  it('gives every item, and every page', async () => {
    const { list, asked } = listOf((url) => {
      const number = numberOf(url)
      return { body: [`a${number}`, `b${number}`], ...(number < 2 ? { link: next(`?last=${number + 1}`) } : {}) }
    })
    expect(await collect(list)).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2'])
    expect((await collect(list.pages())).map(({ more }) => more)).toEqual([true, true, false])
    expect(asked).toHaveLength(6)
    expect(asked[1]).toBe('https://a.example/v2/x/tags/list?last=1')
  })

  it('asks for no page that nobody wants', async () => {
    const { list, asked } = listOf((url) => ({ body: [url], link: next(`?last=${numberOf(url) + 1}`) }))
    let count = 0
    for await (const _ of list) if (++count === 3) break
    expect(asked).toHaveLength(3)
  })

  test.each<[string, (url: string) => PageOf, number]>([
    ['the same page', (url) => ({ body: ['a'], link: next(url) }), 1],
    ['itself, relative', () => ({ body: ['a'], link: next('') }), 1],
    ['a page before', (url) => ({ body: [url], link: next(`?last=${(numberOf(url) + 1) % 3}`) }), 4],
    ['other addresses of the same page', (url) => ({ body: ['a', 'b'], link: next(`?last=${numberOf(url) + 1}`) }), 2],
    ['pages in a circle', (url) => ({ body: [`${numberOf(url) % 5}`], link: next(`?last=${numberOf(url) + 1}`) }), 6],
    ['empty pages without end', (url) => ({ body: [], link: next(`?last=${numberOf(url) + 1}`) }), 100],
  ])('ends with an error when it leads to %s', async (_, page, most) => {
    const { list, asked } = listOf(page)
    await expect(collect(list)).rejects.toMatchObject({ code: 'invalid-response' })
    expect(asked.length).toBeLessThanOrEqual(most)
  })

  it('goes on over pages that bring nothing', async () => {
    const { list } = listOf((url) => {
      const number = numberOf(url)
      return {
        body: number % 10 === 0 ? [`a${number}`] : [],
        ...(number < 50 ? { link: next(`?last=${number + 1}`) } : {}),
      }
    })
    expect(await collect(list)).toEqual(['a0', 'a10', 'a20', 'a30', 'a40', 'a50'])
  })

  test.each([
    ['https://b.example/v2/x', 'refused'],
    ['http://a.example/v2/x', 'refused'],
    ['https://u:p@a.example/v2/x', 'refused'],
    ['javascript:alert(1)', 'refused'],
    ['http://[::1', 'invalid-response'],
  ])('does not go on to %s', async (target, code) => {
    const { list, asked } = listOf(() => ({ body: ['a'], link: next(target) }))
    await expect(collect(list)).rejects.toMatchObject({ code })
    expect(asked).toHaveLength(1)
  })

  test.each(['', '<html>', '{"tags":', '\u0000'])('is no list when it is %j', async (body) => {
    await expect(collect(listOf(() => ({ body })).list)).rejects.toMatchObject({ code: 'invalid-response' })
  })

  it('remembers no more than so many bytes of it', async () => {
    const long = 'x'.repeat(4 * 1024 * 1024)
    const { list, asked } = listOf((url) => ({ body: [`${url}${long}`], link: next(`?last=${numberOf(url) + 1}`) }))
    await expect(collect(list)).rejects.toMatchObject({ code: 'invalid-response' })
    expect(asked.length).toBeLessThanOrEqual(10)
  })

  it('has no page of more than 8 MiB', async () => {
    const body = JSON.stringify(['x'.repeat(8 * 1024 * 1024)])
    await expect(collect(listOf(() => ({ body })).list)).rejects.toMatchObject({ code: 'too-large' })
  })
})
