import {
  isDigest,
  isMediaType,
  isRepositoryName,
  isTag,
  mediaTypeWithoutParameters,
  safeParseDigest,
  safeParseManifest,
  safeParseReference,
  safeParseRepositoryName,
  safeParseTag,
} from '@stowage/oci'
import { parseNextLink } from '../../packages/client/src/registry/links.ts'
import { parseChallenges } from '../../packages/client/src/transport/challenge.ts'
import { parseAuthorization } from '../../packages/registry/src/accounts/authorization-header.ts'
import { parseToken } from '../../packages/registry/src/accounts/tokens/personal.ts'
import { parseScopes } from '../../packages/registry/src/accounts/tokens/scope.ts'
import { matchesNone } from '../../packages/registry/src/http/content-headers.ts'
import { parsePage } from '../../packages/registry/src/http/paging.ts'
import { parseChunkRange, parseRange } from '../../packages/registry/src/http/range.ts'
import { matchRoute, splitTarget } from '../../packages/registry/src/http/route.ts'
import { forwardedHopOf, hopOf, hostOf } from '../../packages/registry/src/limits/forwarded.ts'
import { plainAddress } from '../../packages/registry/src/limits/network.ts'
import { parseAddress } from '../../packages/stowage/src/config/address.ts'
import { parseDuration } from '../../packages/stowage/src/config/duration.ts'
import { parseSize } from '../../packages/stowage/src/config/size.ts'

/** Every parser, to be given a megabyte. What it throws is looked at elsewhere; here it only has to come back. */
export const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  parseRange: (text) => parseRange(`bytes=${text}`, 100),
  'parseRange, all of it': (text) => parseRange(text, 100),
  parseChunkRange,
  parseChallenges,
  'parseChallenges of a scheme': (text) => parseChallenges(`Bearer ${text}`.slice(0, 16_000)),
  parseNextLink: (text) => parseNextLink(text, 'a list'),
  'parseNextLink of a target': (text) => parseNextLink(`</v2/>;${text}`.slice(0, 16_000), 'a list'),
  parseScopes: (text) => parseScopes([text]),
  parseAuthorization,
  'parseAuthorization, Basic': (text) => parseAuthorization(`Basic ${text}`),
  parseToken,
  safeParseReference: (text) => safeParseReference(text),
  'safeParseReference, OCI': (text) => safeParseReference(text, { rules: 'oci' }),
  safeParseDigest: (text) => [isDigest(text), safeParseDigest(text), safeParseDigest(`sha256:${text}`)],
  safeParseRepositoryName: (text) => [isRepositoryName(text), safeParseRepositoryName(text)],
  safeParseTag: (text) => [isTag(text), safeParseTag(text)],
  isMediaType: (text) => [isMediaType(text), isMediaType(`a/${text}`), mediaTypeWithoutParameters(text)],
  safeParseManifest: (text) => safeParseManifest(Buffer.from(text)),
  'safeParseManifest of an object': (text) => safeParseManifest(Buffer.from(`{"layers":[${text}`)),
  matchesNone: (text) => matchesNone(text, `sha256:${'0'.repeat(64)}` as never),
  parsePage: (text) => parsePage(new URLSearchParams({ n: text })),
  'parsePage of a query': (text) => parsePage(new URLSearchParams(text)),
  splitTarget: (text) => splitTarget(`/${text}`),
  'splitTarget, absolute': (text) => splitTarget(`http://${text}`),
  matchRoute: (text) => matchRoute(`/v2/${text}`),
  forwardedHopOf,
  hopOf,
  hostOf,
  plainAddress,
  parseAddress,
  parseDuration,
  parseSize,
}

/** What the megabyte is made of: each alone, again and again, and with something else in the end that makes it wrong after all. */
export const pieces: readonly string[] = [
  'a',
  '0',
  'A',
  ' ',
  '\t',
  '-',
  '_',
  '.',
  '/',
  ':',
  ',',
  ';',
  '=',
  '"',
  '\\',
  '<',
  '>',
  '(',
  '[',
  '{',
  '%',
  '&',
  '\0',
  'é',
  '\ud800',
  'a-',
  'a--b',
  'a/b',
  'a.',
  '__',
  'a=b,',
  'a="b",',
  '"\\"',
  '\\"',
  ';a=b',
  ';rel="',
  '<a>,',
  '0-0,',
  '0.0',
  '::',
  '1.1.1.1:',
  'repository:a:pull ',
  'n=1&',
  '[{"a":',
  '"a":1,',
  '{"size":-1},',
  '"0",W/',
  'YTpi',
  'for=1.1.1.1;',
]

export const endings: readonly string[] = ['', '!', '"', '\n']

export const megabyteOf = (piece: string, ending: string): string =>
  piece.repeat(Math.ceil(2 ** 20 / piece.length)) + ending
