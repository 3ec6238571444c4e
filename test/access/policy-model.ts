/**
 * What the registry ought to answer, written down from what it promises and from nothing of its code: a table of who may do
 * what where, a table of what each request needs, and one short function that reads the two. It imports nothing.
 */

/** What somebody may be allowed to do in a repository. */
export type Act = 'pull' | 'push' | 'overwrite' | 'delete'

/** Who asks. The last three had every right of a deleter once, and have lost it. */
export const principals = [
  'anonymous',
  'reader',
  'creator',
  'writer',
  'deleter',
  'administrator',
  'other-tenant',
  'revoked',
  'expired',
  'disabled',
] as const
export type PrincipalKind = (typeof principals)[number]

/** Where: `reserved` names are made of the fixed words of the API, `absent` repositories have no content yet. */
export const repositories = [
  'public',
  'internal',
  'own',
  'other',
  'reserved-own',
  'reserved-other',
  'absent-public',
  'absent-own',
  'absent-other',
] as const
export type RepositoryKind = (typeof repositories)[number]

/** Whose repositories a repository is among. */
const areaOf = {
  public: 'public',
  internal: 'internal',
  own: 'own',
  other: 'other',
  'reserved-own': 'own',
  'reserved-other': 'other',
  'absent-public': 'public',
  'absent-own': 'own',
  'absent-other': 'other',
} as const satisfies Record<RepositoryKind, string>
export const areas = ['public', 'internal', 'own', 'other'] as const
export type Area = (typeof areas)[number]

const all: readonly Act[] = ['pull', 'push', 'overwrite', 'delete']

/** What is allowed to anybody, whoever they are and whatever they hold. */
const publicly: Readonly<Record<Area, readonly Act[]>> = {
  public: ['pull'],
  internal: [],
  own: [],
  other: [],
}

/** What is allowed to each besides. */
const allowed: Readonly<Record<PrincipalKind, Readonly<Partial<Record<Area, readonly Act[]>>>>> = {
  anonymous: {},
  reader: { internal: ['pull'], own: ['pull'] },
  creator: { internal: ['pull'], own: ['pull', 'push'] },
  writer: { internal: ['pull'], own: ['pull', 'push', 'overwrite'] },
  deleter: { internal: ['pull'], own: all },
  administrator: { public: all, internal: all, own: all, other: all },
  'other-tenant': { internal: ['pull'], other: all },
  // Where credentials are taken all the same: their owner is still somebody.
  revoked: { internal: ['pull'] },
  expired: {},
  disabled: {},
}

/** How who asks says who they are, and what the credentials themselves leave of that. */
export interface Transport {
  readonly credential: 'none' | 'taken' | 'refused'
  /** A personal token's permissions: beyond them nothing is allowed, with whatever other token of the same. */
  readonly token?: Narrowing
  /** Scopes of a Bearer token: beyond them another token could do it. */
  readonly scopes?: Narrowing
  /** Whether the scopes, if there are any, include the list of repositories. */
  readonly catalog?: boolean
}

/** `here`: the repository of the request and the source of a mount; `here-only`: not the source. */
export interface Narrowing {
  readonly acts: readonly Act[]
  readonly where: 'everywhere' | 'here' | 'here-only' | 'elsewhere'
}

/** What holds for everybody. */
export interface PolicyKind {
  readonly readOnly?: true
  readonly deletionDisabled?: true
  /** Of the tag `existing`, in repositories of the area `own`. */
  readonly immutable?: true
}

export type Verdict = 'ok' | 'mounted' | 'upload' | '400' | '401' | '403' | '404' | '405'

/** A request, by what matters to whether it is allowed. */
export interface Wanted {
  readonly route: string
  readonly method: string
  /** What is allowed to nobody without. */
  readonly needs: readonly Act[]
  /** Answers 404 in a repository that has no content. Default: it makes content, or an empty list. */
  readonly reads?: true
  /** What the path names is not of this repository, or an upload that somebody else began. */
  readonly foreign?: true
  /** The manifest needs a blob that only another repository has. */
  readonly foreignBlob?: true
  /** A manifest needs the blob. */
  readonly inUse?: true
  /** Moves or deletes what the tag `existing` names, or would. */
  readonly touchesExisting?: true
  /** Where a blob is to be mounted from; `any`: from wherever the caller may pull, and it is in `otherwiseIn`. */
  readonly mount?: RepositoryKind | 'any'
  readonly otherwiseIn?: RepositoryKind
}

export interface Question {
  readonly principal: PrincipalKind
  readonly transport: Transport
  /** `undefined`: the route names none. */
  readonly repository: RepositoryKind | undefined
  readonly wanted: Wanted
  readonly policy?: PolicyKind
}

/** Methods of each route. There are no others, for anybody. */
export const methodsOf: Readonly<Record<string, readonly string[]>> = {
  ping: ['GET', 'HEAD'],
  catalog: ['GET', 'HEAD'],
  tags: ['GET', 'HEAD'],
  manifest: ['GET', 'HEAD', 'PUT', 'DELETE'],
  blob: ['GET', 'HEAD', 'DELETE'],
  uploads: ['POST'],
  upload: ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'],
  referrers: ['GET', 'HEAD'],
}

type Permission = 'yes' | 'log-in' | 'other-scope' | 'no'

/** Whether one act is allowed in one repository. */
export const permission = (
  { principal, transport }: Pick<Question, 'principal' | 'transport'>,
  act: Act,
  repository: RepositoryKind,
  isSource = false,
): Permission => {
  const area = areaOf[repository]
  if (publicly[area].includes(act)) return 'yes'
  if (principal === 'anonymous') return 'log-in'
  if (allowed[principal][area]?.includes(act) !== true) return 'no'
  const { token, scopes } = transport
  if (token !== undefined && !covers(token, act, isSource)) return 'no'
  if (scopes !== undefined && !covers(scopes, act, isSource)) return 'other-scope'
  return 'yes'
}

const covers = ({ acts, where }: Narrowing, act: Act, isSource: boolean): boolean =>
  acts.includes(act) && where !== 'elsewhere' && !(isSource && where === 'here-only')

const refusals = { 'log-in': '401', 'other-scope': '401', no: '403' } as const

export const verdict = (question: Question): Verdict => {
  const { transport, repository, wanted, policy = {} } = question
  // What a route cannot do is no secret.
  if (methodsOf[wanted.route]?.includes(wanted.method) !== true) return '405'
  // Wrong credentials are never taken for none.
  if (transport.credential === 'refused') return '401'
  if (repository === undefined) {
    // Clients learn where to log in from `/v2/` only.
    if (transport.credential === 'none') return '401'
    return wanted.route === 'catalog' && transport.scopes !== undefined && transport.catalog !== true ? '401' : 'ok'
  }
  const [first, ...further] = wanted.needs
  if (first === undefined) throw new Error(`${wanted.method} ${wanted.route} needs nothing, and every request must`)
  const permitted = permission(question, first, repository)
  if (permitted !== 'yes') return refusals[permitted]

  const changes = first === 'push' || first === 'delete'
  if (changes && policy.readOnly === true) return '405'
  if (first === 'delete' && policy.deletionDisabled === true) return '405'

  const absent = repository.startsWith('absent')
  if (wanted.foreign === true || (absent && wanted.reads === true)) return '404'
  if (wanted.foreignBlob === true) return '400'
  // A tag of a repository that has none is made, not moved.
  if (!absent) {
    if (wanted.touchesExisting === true && policy.immutable === true && areaOf[repository] === 'own') return '403'
    if (further.some((act) => permission(question, act, repository) !== 'yes')) return '403'
    if (wanted.inUse === true) return '405'
  }
  if (wanted.mount === undefined) return 'ok'
  const source = wanted.mount === 'any' ? wanted.otherwiseIn : wanted.mount
  // The target itself is no other source: whoever may push with this token to it, and pull, has the scope for it.
  const readable =
    source !== undefined &&
    !source.startsWith('absent') &&
    permission(question, 'pull', source, source !== repository) === 'yes'
  return readable ? 'mounted' : 'upload'
}

/** Whose repositories a list shows. The scope of the catalog is for the list, so that other scopes do not narrow it. */
export const listed = ({ principal, transport }: Pick<Question, 'principal' | 'transport'>): readonly Area[] =>
  areas.filter((area) => {
    const { scopes: _, ...rest } = transport
    return permission({ principal, transport: rest }, 'pull', area) === 'yes'
  })

/** What the token endpoint gives of a request for everything in one repository: the scopes, or that there are none. */
export const granted = (
  { principal, transport }: Pick<Question, 'principal' | 'transport'>,
  repository: RepositoryKind,
): readonly Act[] => {
  const { scopes: _, ...rest } = transport
  // Whether a push may move a tag is no word of a scope.
  return (['pull', 'push', 'delete'] as const).filter(
    (act) => permission({ principal, transport: rest }, act, repository) === 'yes',
  )
}
