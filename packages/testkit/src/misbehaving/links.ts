/** Lists (tags, catalog, referrers) whose `Link` leads astray. */
import type { Behaviour, Call } from './call.ts'
import { changing, headerOf, withHeader } from './reply.ts'

/** Any `Link`, or none, in place of the registry's. */
export const linkTo = (link: string | undefined | ((call: Call) => string)): Behaviour =>
  changing((answer, call) => withHeader(answer, 'link', typeof link === 'function' ? link(call) : link))

/** Each page says that it comes next itself. */
export const linkToItself = (): Behaviour => linkTo(({ target }) => `<${target}>; rel="next"`)

/** The next page is on the other origin. */
export const linkToTrap = (): Behaviour => linkTo(({ urls, target }) => `<${urls.trap}${target}>; rel="next"`)

/** The first page again and again, and each time another address for the next one. */
export const linkToFreshPages = (): Behaviour => {
  let page = 0
  return async (call, next) => {
    const [path = ''] = call.target.split('?')
    page += 1
    return linkTo(`<${path}?last=page-${page}>; rel="next"`)({ ...call, target: path }, next)
  }
}

/** Other ways to write the registry's own `Link`, all of them right (RFC 8288). */
export type LinkForm = 'absolute' | 'query' | 'unquoted' | 'upperCase' | 'amongOthers' | 'moreParameters'

export const writeLink = (form: LinkForm): Behaviour =>
  changing((answer, { urls }) => {
    const target = /^<([^>]*)>/.exec(headerOf(answer, 'link') ?? '')?.[1]
    return target === undefined ? answer : withHeader(answer, 'link', linkForms[form](target, urls.registry))
  })

const linkForms = {
  absolute: (target, origin) => `<${origin}${target}>; rel="next"`,
  // Relative to the page that it is on.
  query: (target) => `<${target.slice(target.indexOf('?'))}>; rel="next"`,
  unquoted: (target) => `<${target}>; rel=next`,
  upperCase: (target) => `<${target}> ; REL="NEXT"`,
  amongOthers: (target) =>
    `</first,page>; rel="first", <${target}>; rel="next", </last;page>; title="a, <b>"; rel=last`,
  moreParameters: (target) => `<${target}>; title="x; rel=prev"; rel="prefetch next"; type="application/json"`,
} as const satisfies Record<LinkForm, (target: string, origin: string) => string>

/** Each is a `Link` that leads nowhere: the list ends, or reading it is an error. */
export const malformedLinks: readonly string[] = [
  '',
  '<',
  '<>',
  'next',
  '/v2/_catalog?last=a; rel="next"',
  '</v2/_catalog?last=a; rel="next"',
  '<http://[::1>; rel="next"',
  '<http://127.0.0.1:99999/>; rel="next"',
  '<javascript:alert(1)>; rel="next"',
  '<file:///etc/passwd>; rel="next"',
  '<?last=a>; rel="prev"',
  '<?last=a>; rel="next',
  ',,,;;;"',
]
