import {
  formatReference,
  isDigest,
  isMediaType,
  isRepositoryName,
  isTag,
  mediaTypeWithoutParameters,
  ParseError,
  parseReference,
  safeParseDigest,
  safeParseReference,
  safeParseRepositoryName,
  safeParseTag,
} from '@stowage/oci'
import fc from 'fast-check'
import {
  alphanumeric,
  charactersOf,
  digest,
  garbageOf,
  holds,
  letters,
  type ParserProperty,
  repositoryName,
  tag,
  throwsOnly,
} from './property.ts'

/** As the specifications write them. */
const nameGrammar = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tagGrammar = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const digestGrammar = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/
const mediaTypeGrammar = /^[A-Za-z0-9][A-Za-z0-9!#$&\-^_.+]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&\-^_.+]{0,126}$/

const restricted = fc
  .tuple(charactersOf(`${letters}0123456789`, { minLength: 1, maxLength: 1 }), charactersOf(`${alphanumeric}!#$&-^_.+`))
  .map(([first, rest]) => first + rest)
const mediaType = fc.tuple(restricted, restricted).map((parts) => parts.join('/'))

const host = fc.oneof(
  fc.constantFrom('localhost', 'ghcr.io', '[::1]:5000', '127.0.0.1:80', 'Registry.Example:443'),
  fc
    .tuple(charactersOf(alphanumeric, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 65_535 }))
    .map(([name, port]) => `${name}:${port}`),
)

export const ociProperties: readonly ParserProperty[] = [
  holds(
    'a reference reads back as it is written',
    fc.record(
      { registry: host, repository: repositoryName, tag, digest },
      { requiredKeys: ['registry', 'repository'] },
    ),
    (reference) => {
      if (reference.repository.length > 200) return true
      const text = formatReference(reference as never)
      const read = safeParseReference(text, { rules: 'oci' })
      return (
        read.ok &&
        formatReference(read.value) === text &&
        read.value.repository === reference.repository &&
        read.value.tag === reference.tag
      )
    },
    5,
  ),
  holds(
    'what is taken for a reference reads back, by either rules',
    garbageOf([
      'a',
      'b0',
      '/',
      ':',
      '@',
      'sha256:',
      '.',
      '-',
      '_',
      '__',
      'A',
      'localhost',
      '[::1]',
      ':5000',
      'docker.io',
      `sha256:${'0'.repeat(64)}`,
      ' ',
    ]),
    (text) =>
      (['docker', 'oci'] as const).every((rules) => {
        const read = safeParseReference(text, { rules })
        if (!read.ok)
          return (
            read.problems.length > 0 &&
            throwsOnly(
              () => parseReference(text, { rules }),
              (error) => error instanceof ParseError,
            )
          )
        const again = safeParseReference(formatReference(read.value), { rules })
        return (
          again.ok &&
          JSON.stringify(again.value) === JSON.stringify(read.value) &&
          isRepositoryName(read.value.repository)
        )
      }),
  ),
  holds(
    'a digest is one by its grammar',
    fc.oneof(
      digest,
      fc
        .tuple(digest, fc.nat(140), fc.constantFrom('', 'g', 'A', ':', ' ', '\n', '0'))
        .map(([text, at, piece]) => text.slice(0, at) + piece + text.slice(at + 1)),
      garbageOf(['sha256:', 'sha512:', 'sha384:', 'SHA256:', '0', 'a', 'f'.repeat(32), '+', ':']),
    ),
    (text) => isDigest(text) === digestGrammar.test(text) && safeParseDigest(text).ok === isDigest(text),
  ),
  holds(
    'a name is one by its grammar',
    fc.oneof(repositoryName, garbageOf(['a', 'b0', '/', '.', '_', '__', '-', '--', 'A', ' ', 'é', '\n'])),
    (text) => {
      const is = text.length <= 255 && nameGrammar.test(text)
      return isRepositoryName(text) === is && safeParseRepositoryName(text).ok === is
    },
  ),
  holds(
    'a tag is one by its grammar',
    fc.oneof(tag, garbageOf(['a', 'B', '0', '.', '_', '-', '/', ':', ' ', '\n', 'x'.repeat(60)])),
    (text) => isTag(text) === tagGrammar.test(text) && safeParseTag(text).ok === isTag(text),
  ),
  holds(
    'a media type is one by its grammar',
    fc.oneof(
      mediaType,
      garbageOf(['a', 'application', '/', '.', '+', 'json', ';', '=', ' ', '!', '\n', 'x'.repeat(126)]),
    ),
    (text) => isMediaType(text) === (text.length <= 255 && mediaTypeGrammar.test(text)),
  ),
  holds(
    'parameters of a media type are left away',
    fc.tuple(mediaType, textOfParameters()),
    ([type, parameters]) => mediaTypeWithoutParameters(`${type}${parameters}`) === type.toLowerCase(),
  ),
]

function textOfParameters(): fc.Arbitrary<string> {
  return fc
    .array(fc.tuple(fc.constantFrom('; ', ';', ' ;'), fc.constantFrom('charset=utf-8', 'a="b;c"', 'q=1', '')), {
      maxLength: 3,
    })
    .map((all) => all.flat().join(''))
}
