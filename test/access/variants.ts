import { type Content, sha256 } from './content.ts'
import { manifestDeletes, manifestPuts, manifestReads } from './manifest-variants.ts'
import type { RepositoryKind, Wanted } from './policy-model.ts'

/** Where a request goes: a repository, and what there is around it. */
export interface Place {
  /** Undefined for a route that names none. */
  readonly kind: RepositoryKind | undefined
  readonly name: string
  /** What the repository holds, or would hold if it were there. */
  readonly content: Content
  /** What another repository holds, which is not the caller's unless everything is. */
  readonly elsewhere: Content
  /** Names of repositories with content, by their kind. */
  readonly nameOf: (kind: RepositoryKind) => string
  readonly contentOf: (kind: RepositoryKind) => Content
  /** Differs from request to request. */
  readonly unique: string
  /** Ids of uploads: the caller's own here, somebody else's here, and the caller's own in another repository. */
  readonly upload: (whose: UploadOwner) => string
}

export type UploadOwner = 'own' | 'stranger' | 'own-elsewhere'

/** What comes behind the fixed part of a route's path, and what is sent. */
export interface Filling {
  readonly last?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A request to a repository whose rights are beyond doubt, to have it again as it was. */
export interface Repair {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly type?: string
}

/** One way to ask for one method of one route. */
export interface Variant {
  readonly label: string
  readonly wanted: Wanted
  readonly upload?: UploadOwner
  readonly fill: (place: Place) => Filling
  /** After the request was granted. */
  readonly repair?: (place: Place) => readonly Repair[]
}

/** A variant without its route and method. */
export type Draft = Omit<Variant, 'wanted'> & { readonly wanted: Omit<Wanted, 'route' | 'method'> }

const read: Draft['wanted'] = { needs: ['pull'], reads: true }
const create: Draft['wanted'] = { needs: ['push'] }
const removal: Draft['wanted'] = { needs: ['delete'], reads: true }

const blobReads: readonly Draft[] = [
  { label: '', wanted: read, fill: ({ content }) => ({ last: sha256(content.loose) }) },
  {
    label: 'a range',
    wanted: read,
    fill: ({ content }) => ({ last: sha256(content.loose), headers: { range: 'bytes=0-1' } }),
  },
  {
    label: 'if it is another',
    wanted: read,
    fill: ({ content: { loose } }) => ({ last: sha256(loose), headers: { 'if-none-match': `"${sha256(loose)}"` } }),
  },
  {
    label: 'of another repository',
    wanted: { ...read, foreign: true },
    fill: ({ elsewhere }) => ({ last: sha256(elsewhere.loose) }),
  },
]

const blobRepair = (name: string, text: string): Repair => ({
  method: 'POST',
  path: `/v2/${name}/blobs/uploads/?digest=${sha256(text)}`,
  body: text,
})

const blobDeletes: readonly Draft[] = [
  {
    label: '',
    wanted: removal,
    fill: ({ content }) => ({ last: sha256(content.loose) }),
    repair: ({ name, content }) => [blobRepair(name, content.loose)],
  },
  {
    label: 'that a manifest needs',
    // By the image that the tag `existing` names.
    wanted: { ...removal, inUse: true, touchesExisting: true },
    fill: ({ content }) => ({ last: sha256(content.config) }),
    repair: ({ name, content }) => [blobRepair(name, content.config)],
  },
  {
    label: 'of another repository',
    wanted: { ...removal, foreign: true },
    fill: ({ elsewhere }) => ({ last: sha256(elsewhere.loose) }),
  },
]

const mountedFrom = (from: RepositoryKind, label: string): Draft => ({
  label,
  wanted: { ...create, mount: from },
  fill: ({ nameOf, contentOf }) => {
    // Where the source is absent the blob is not: it is in a repository of the caller's.
    const { loose } = contentOf(from.startsWith('absent') ? 'own' : from)
    return { query: `mount=${sha256(loose)}&from=${nameOf(from)}` }
  },
  repair: ({ name, nameOf, contentOf }) =>
    name === nameOf(from) || from.startsWith('absent')
      ? []
      : [{ method: 'DELETE', path: `/v2/${name}/blobs/${sha256(contentOf(from).loose)}` }],
})

const mountedFromAny = (from: RepositoryKind): Draft => ({
  label: `mount from wherever, in ${from}`,
  wanted: { ...create, mount: 'any', otherwiseIn: from },
  fill: ({ contentOf }) => ({ query: `mount=${sha256(contentOf(from).loose)}` }),
  repair: ({ name, nameOf, contentOf }) =>
    name === nameOf(from) ? [] : [{ method: 'DELETE', path: `/v2/${name}/blobs/${sha256(contentOf(from).loose)}` }],
})

const uploadStarts: readonly Draft[] = [
  { label: '', wanted: create, fill: () => ({}) },
  {
    label: 'with the whole blob',
    wanted: create,
    fill: ({ unique }) => ({ query: `digest=${sha256(unique)}`, body: unique }),
  },
  mountedFrom('own', 'mount from own'),
  mountedFrom('other', 'mount from other'),
  mountedFrom('public', 'mount from public'),
  mountedFrom('internal', 'mount from internal'),
  mountedFrom('absent-own', 'mount from absent'),
  mountedFromAny('own'),
  mountedFromAny('other'),
  mountedFromAny('public'),
]

/** What every upload here holds. */
export const uploaded = 'data'

const ofUpload = (method: string): readonly Draft[] =>
  (['own', 'stranger', 'own-elsewhere'] as const).map((owner) => ({
    label: owner,
    wanted: owner === 'own' ? create : { ...create, foreign: true },
    upload: owner,
    fill: ({ upload }) => ({
      last: upload(owner),
      ...(method === 'PUT' && { query: `digest=${sha256(uploaded)}` }),
      ...(method === 'PATCH' && { body: 'more' }),
    }),
  }))

const table: Readonly<Record<string, Readonly<Record<string, readonly Draft[]>>>> = {
  ping: { GET: [{ label: '', wanted: { needs: [] }, fill: () => ({}) }] },
  catalog: { GET: [{ label: '', wanted: { needs: [] }, fill: () => ({ query: 'n=1000' }) }] },
  tags: { GET: [{ label: '', wanted: read, fill: () => ({}) }] },
  manifest: { GET: manifestReads, PUT: manifestPuts, DELETE: manifestDeletes },
  blob: { GET: blobReads, DELETE: blobDeletes },
  uploads: { POST: uploadStarts },
  upload: {
    GET: ofUpload('GET'),
    PATCH: ofUpload('PATCH'),
    PUT: ofUpload('PUT'),
    DELETE: ofUpload('DELETE'),
  },
  // "the registry MUST NOT return a 404 Not Found to a referrers API requests": there are none is the answer.
  referrers: {
    GET: [{ label: '', wanted: { needs: ['pull'] }, fill: ({ content }) => ({ last: content.image.digest }) }],
  },
}

/** Something for the last part of the path where a method is asked for that the route does not have. */
const anything = (route: string, { content, upload }: Place): Filling => {
  switch (route) {
    case 'manifest':
      return { last: 'existing' }
    case 'blob':
    case 'referrers':
      return { last: content.image.digest }
    case 'upload':
      return { last: upload('stranger') }
    default:
      return {}
  }
}

/** All ways to ask for a method of a route; one that the table does not have is one that the route ought not to have. */
export const variantsOf = (route: string, method: string): readonly Variant[] => {
  const methods = table[route]
  if (methods === undefined) throw new Error(`The model does not know the route ${route}: say what it allows.`)
  const drafts = methods[method === 'HEAD' ? 'GET' : method] ?? [
    {
      label: 'no such method',
      wanted: { needs: [] },
      fill: (place: Place) => anything(route, place),
      ...(route === 'upload' && { upload: 'stranger' as const }),
    },
  ]
  return drafts.map((draft) => ({ ...draft, wanted: { ...draft.wanted, route, method } }))
}
