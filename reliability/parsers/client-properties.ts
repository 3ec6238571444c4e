import fc from 'fast-check'
import { ClientError } from '../../packages/client/src/errors.ts'
import { parseNextLink } from '../../packages/client/src/registry/links.ts'
import { parseChallenges } from '../../packages/client/src/transport/challenge.ts'
import { charactersOf, garbageOf, holds, letters, type ParserProperty, textOf, throwsOnly } from './property.ts'

const token = charactersOf(`${letters}0123456789-_.!~`, { minLength: 1, maxLength: 8 })
const quotable = textOf(['a', ' ', ',', ';', '=', '"', '\\', 'é', 'https://x.example/token', '<', '>', 'rel="next"'], 6)
const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`
const space = fc.constantFrom('', ' ', '  ')

const challenge = fc.record({
  scheme: token,
  // "each parameter name MUST only occur once per challenge"
  parameters: fc.uniqueArray(fc.tuple(token, fc.boolean(), token, quotable), {
    maxLength: 3,
    selector: ([name]) => name.toLowerCase(),
  }),
})

const link = fc.record({
  target: charactersOf('abc/?&=%,;"', { maxLength: 10 }).map((rest) => `/v2/${rest}`),
  relation: fc.constantFrom('next', 'NEXT', 'prev next', 'prev', 'nextish', undefined),
  quoted: fc.boolean(),
  others: fc.array(fc.tuple(token, quotable), { maxLength: 2 }),
  /** "The rel parameter MUST NOT appear more than once …; occurrences after the first MUST be ignored" */
  again: fc.boolean(),
})

const isUnreadable = (error: unknown): boolean => error instanceof ClientError && error.code === 'invalid-response'

export const clientProperties: readonly ParserProperty[] = [
  holds(
    'challenges are read as they are written',
    fc.tuple(fc.array(challenge, { maxLength: 3 }), space, space),
    ([challenges, around, before]) => {
      const header = challenges
        .map(({ scheme, parameters }) =>
          [
            scheme,
            parameters
              .map(([name, isQuoted, plain, text]) => `${name}${around}=${around}${isQuoted ? quoted(text) : plain}`)
              .join(`${before},${around}`),
          ].join(' '),
        )
        .join(`${before}, `)
      const read = parseChallenges(header)
      const wanted = challenges.map(({ scheme, parameters }) => [
        scheme.toLowerCase(),
        parameters.map(([name, isQuoted, plain, text]) => [name.toLowerCase(), isQuoted ? text : plain]),
      ])
      return JSON.stringify(read.map(({ scheme, parameters }) => [scheme, [...parameters]])) === JSON.stringify(wanted)
    },
    6,
  ),
  holds(
    'no header is more than no challenge',
    garbageOf(['Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'a', 'YII=', '\t', 'é', '\0', ';']),
    (header) =>
      parseChallenges(header).every(
        ({ scheme, parameters }) => scheme === scheme.toLowerCase() && parameters.size < 100,
      ),
  ),
  holds(
    'the next page is read as it is written',
    fc.tuple(fc.array(link, { maxLength: 3 }), space),
    ([links, around]) => {
      const header = links
        .map(({ target, relation, quoted: isQuoted, others, again }) => {
          const rel =
            relation === undefined ? [] : [`rel=${isQuoted || relation.includes(' ') ? quoted(relation) : relation}`]
          const more = others
            .filter(([name]) => name.toLowerCase() !== 'rel')
            .map(([name, text]) => `${name}=${quoted(text)}`)
          const ignored = relation !== undefined && again ? [relation === 'prev' ? 'rel=next' : 'rel=prev'] : []
          return [`<${target}>`, ...more, ...rel, ...ignored].join(`${around};${around}`)
        })
        .join(`${around},${around}`)
      const wanted = links.find(
        ({ relation }) => relation === undefined || relation.toLowerCase().split(' ').includes('next'),
      )
      return parseNextLink(header, 'a list') === wanted?.target
    },
    6,
  ),
  holds(
    'a link that cannot be read is refused as such',
    garbageOf(['<', '>', '/v2/', ';', ',', 'rel', '=', '"', 'next', '\\', ' ', '\t', 'é', 'prev', "'"]),
    (header) =>
      throwsOnly(() => {
        const target = parseNextLink(header, 'a list')
        if (target !== undefined && !header.includes(`<${target}>`)) throw new Error('made up')
      }, isUnreadable),
  ),
]
