import fc from 'fast-check'
import { parseAuthorization } from '../../packages/registry/src/accounts/authorization-header.ts'
import { makeToken, parseToken } from '../../packages/registry/src/accounts/tokens/personal.ts'
import {
  formatScopes,
  intersect,
  parseAccess,
  parseScopes,
  toPermissions,
} from '../../packages/registry/src/accounts/tokens/scope.ts'
import { tokenRequestOfQuery } from '../../packages/registry/src/http/token-request.ts'
import { algorithm, createSignedBearer, keyId } from './bearer.ts'
import { isFault } from './fault.ts'
import { charactersOf, garbageOf, holds, type ParserProperty, repositoryName, throwsOnly } from './property.ts'

const action = fc.constantFrom('pull', 'push', 'delete', '*', 'x', '')
const scope = fc.record({
  type: fc.constantFrom('repository', 'registry', 'x'),
  name: fc.oneof(repositoryName, fc.constantFrom('catalog', 'host:5000/a/b', 'a:b')),
  actions: fc.array(action, { minLength: 1, maxLength: 3 }),
})

const control = /\p{Cc}/u
const word = fc.oneof(
  charactersOf('abcÄ層\u{1f433} "%', { maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
)

/** What is right, and now and then one of those that are wrong. */
const mostly = (right: string, ...wrong: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: fc.constantFrom(...wrong) })

const base64url = 'ABCXYZabcxyz0189-_'
const bearer = createSignedBearer()

export const authProperties: readonly ParserProperty[] = [
  holds(
    'scopes are read as they are written',
    fc.array(scope, { maxLength: 5 }),
    (scopes) =>
      JSON.stringify(parseScopes([formatScopes(scopes)])) ===
      JSON.stringify(
        scopes.map((one) => ({ type: one.type, name: one.name, actions: one.actions.join(',').split(',') })),
      ),
  ),
  holds(
    'a class is no part of the type of a scope',
    scope,
    (one) => {
      const [read] = parseScopes([`${one.type}(plugin):${one.name}:${one.actions.join(',')}`])
      return read?.type === one.type && read.name === one.name
    },
    5,
  ),
  holds(
    'no scope grants more than is allowed',
    fc.array(
      garbageOf([
        'repository',
        'repository(plugin)',
        'registry',
        ':',
        'catalog',
        'a',
        '/',
        'pull',
        'push',
        ',',
        '*',
        ' ',
        'A',
        '..',
        '__proto__',
      ]),
      { maxLength: 4 },
    ),
    (texts) =>
      throwsOnly(() => {
        const granted = intersect(parseScopes(texts), (wanted, name) => wanted === 'pull' && name === 'a')
        for (const { type, name, actions } of granted) {
          if (type === 'registry' && name === 'catalog') continue
          if (type !== 'repository' || name !== 'a' || actions.join() !== 'pull') throw new Error('granted')
        }
        toPermissions(parseAccess(granted))
      }, isFault('query-invalid')),
  ),
  holds(
    'a claim of anything is read',
    fc.jsonValue({ maxDepth: 3 }),
    (claim) => {
      const { permissions } = toPermissions(parseAccess(claim))
      return Array.isArray(permissions)
    },
    3,
  ),
  holds(
    'Basic is read as it is written',
    fc.tuple(fc.constantFrom('Basic', 'basic', 'BASIC'), word, word),
    ([scheme, name, password]) => {
      if (
        name.includes(':') ||
        control.test(name + password) ||
        name + password === '' ||
        !(name + password).isWellFormed()
      )
        return true
      const read = parseAuthorization(`${scheme} ${Buffer.from(`${name}:${password}`).toString('base64')}`)
      return read?.scheme === 'basic' && read.name === name && read.password === password
    },
  ),
  holds(
    'what is no Authorization is refused as such',
    garbageOf(['Basic', 'Bearer', ' ', 'YTpi', '=', ':', 'Og==', 'a', '.', '~', ',', 'Negotiate', '\t', '\0', '/w==']),
    (header) => throwsOnly(() => parseAuthorization(header), isFault('unauthorized')),
  ),
  holds(
    'a personal token is read as it is made',
    fc.constantFrom('personal' as const, 'refresh' as const),
    (kind) => {
      const { id, text } = makeToken(kind)
      const read = parseToken(text)
      return (
        read?.kind === kind &&
        read.id === id &&
        text.endsWith(read.secret) &&
        parseToken(`${text}x`) === undefined &&
        parseToken(text.slice(1)) === undefined
      )
    },
    2,
  ),
  holds(
    'what is no personal token is none',
    garbageOf(['stwp_', 'stwr_', '_', 'a'.repeat(16), 'B'.repeat(43), 'stwx', '-', ' ', 'é']),
    (text) => {
      const read = parseToken(text)
      return read === undefined || text === `${read.kind === 'personal' ? 'stwp' : 'stwr'}_${read.id}_${read.secret}`
    },
  ),
  holds(
    'no query of the token endpoint is more than refused',
    fc.tuple(
      garbageOf([
        'scope=',
        'service=',
        'account=',
        'client_id=',
        'offline_token=',
        '&',
        'a',
        '%00',
        '%ff',
        '+',
        'repository:a:pull',
        '=',
        'true',
      ]),
      garbageOf(['Basic ', 'Bearer ', 'YTpi', '=', 'x']),
    ),
    ([query, header]) =>
      throwsOnly(
        () => tokenRequestOfQuery(new URLSearchParams(query), header),
        isFault('query-invalid', 'unauthorized'),
      ),
    5,
  ),
  holds(
    'a good token is good, and another one bit is not',
    fc.tuple(fc.nat(), fc.nat(base64url.length - 1)),
    async ([at, index]) => {
      const token = await bearer.good()
      const place = at % token.length
      const changed = token.slice(0, place) + base64url.charAt(index) + token.slice(place + 1)
      return changed === token ? await bearer.takes(token) : !(await bearer.takes(changed))
    },
    0.3,
  ),
  holds(
    'no header of a token leads to another key',
    fc.record(
      {
        alg: mostly(algorithm, 'none', 'HS256', 'RS256', 'ES256', '', 1, null),
        typ: mostly('JWT', 'jwt', undefined, 1),
        kid: mostly(keyId, '../x', '', undefined, 1, {}),
        jwk: fc.constantFrom({}, { kty: 'OKP' }),
        jku: fc.webUrl(),
        crit: fc.array(fc.constantFrom('exp', 'b64')),
        b64: fc.boolean(),
        zip: fc.constant('DEF'),
      },
      { requiredKeys: ['alg'] },
    ),
    async (header) => {
      // Signed as it should be: what is wrong with it is its header alone.
      const members = Object.entries(header).filter(([, value]) => value !== undefined)
      const own = members.length === 3 && header.alg === algorithm && header.typ === 'JWT' && header.kid === keyId
      return (await bearer.takes(await bearer.signed(Object.fromEntries(members)))) === own
    },
    0.3,
  ),
  holds(
    'garbage is no token',
    garbageOf(['e30', '.', 'eyJhbGciOiJub25lIn0', '=', 'A', '..', '-', 'é', ' ', '\0']),
    async (text) => !(await bearer.takes(text)),
    1,
  ),
]
