/** What a registry says to a client that it does not know, before it is put into words. */
export interface ChallengeFacts {
  readonly realm: string
  readonly service: string
  readonly scope: string | undefined
  readonly error: 'invalid_token' | 'insufficient_scope' | undefined
}

/** Gives the lines of `WWW-Authenticate`. */
export type ChallengeForm = (facts: ChallengeFacts) => readonly string[]

const quoted = (value: string): string => `"${value.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`

const parameters = ({ realm, service, scope, error }: ChallengeFacts): [string, string][] => [
  ['realm', realm],
  ['service', service],
  ...(scope === undefined ? [] : [['scope', scope] satisfies [string, string]]),
  ...(error === undefined ? [] : [['error', error] satisfies [string, string]]),
]

const bearer = (pairs: readonly [string, string][]): string =>
  `Bearer ${pairs.map(([name, value]) => `${name}=${quoted(value)}`).join(',')}`

const usual = (facts: ChallengeFacts): string => bearer(parameters(facts))

/** All of them mean the same, and a client should understand each (RFC 9110, section 11; some are only what the field sends). */
export const challengeForms = {
  usual: (facts) => [usual(facts)],
  unquoted: (facts) => [
    // A comma needs quotes even for those who take an unquoted address.
    `Bearer ${parameters(facts)
      .map(([name, value]) => `${name}=${value.includes(',') || value.includes(' ') ? quoted(value) : value}`)
      .join(',')}`,
  ],
  upperCase: (facts) => [usual(facts).replaceAll(/(\w+)(?==")|^Bearer/g, (word) => word.toUpperCase())],
  lowerCase: (facts) => [usual(facts).replace('Bearer', 'bearer')],
  /** RFC 9110: white space is allowed around `=` and commas. */
  spaced: (facts) => [
    `Bearer   ${parameters(facts)
      .map(([name, value]) => `${name} = ${quoted(value)}`)
      .join(' ,\t')}`,
  ],
  emptyElements: (facts) => [usual(facts).replaceAll('",', '", , ,')],
  reordered: (facts) => [bearer([['x-more', 'a, realm="no"'], ...parameters(facts).toReversed()])],
  escaped: (facts) => [usual(facts).replace('realm="http', String.raw`realm="\h\ttp`)],
  withoutScope: (facts) => [usual({ ...facts, scope: undefined })],
  basicFirstInOneLine: (facts) => [`Basic realm="registry", ${usual(facts)}`],
  bearerFirstInOneLine: (facts) => [`${usual(facts)}, Basic realm="registry"`],
  basicFirstInTwoLines: (facts) => ['Basic realm="registry"', usual(facts)],
  bearerFirstInTwoLines: (facts) => [usual(facts), 'Basic realm="registry"'],
  amongOthers: (facts) => [
    `Negotiate, NTLM TlRMTVNTUAAB==, Digest realm="a \\"b\\", Bearer c", nonce="d=,", ${usual(facts)}, Custom x=1`,
  ],
} as const satisfies Record<string, ChallengeForm>

/** No client can do anything with these; it must end with an error, and show nobody its credentials. */
export const brokenChallenges: readonly string[] = [
  '',
  'Bearer',
  'Bearer realm',
  'Bearer realm=',
  'Bearer realm=""',
  'Bearer realm="http://127.0.0.1',
  String.raw`Bearer realm="http://127.0.0.1\"`,
  'Bearer service="registry",scope="repository:a:pull"',
  'Bearer realm="not an address"',
  'Bearer realm="file:///etc/passwd"',
  'Bearer realm="javascript:alert(1)"',
  'Bearer realm="/token"',
  'Bearer realm="//token"',
  'Bearer ,,,=,"',
  '=="=,Bearer',
  'Bearerrealm="http://127.0.0.1/token"',
]
