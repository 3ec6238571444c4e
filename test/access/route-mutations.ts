import type { Edit } from './mutant.ts'
import { dropped, type Mutation } from './mutation.ts'

const stranger = ['anonymous (nothing)']
const reader = ['reader (password)']
const creator = ['creator (password)']
const administrator = ['administrator (password)']
const tenant = ['other-tenant (password)']

/** The server would not start with a route of a repository that asks for nothing. */
const anyAction: Edit = {
  file: 'http/routes.ts',
  find: "repository: ['pull', 'push', 'delete'],",
  replace: "repository: ['pull', 'push', 'delete', 'ping'],",
}

/** What asks for more asks to pull, and what asks to pull asks for nothing. */
const weakened = (file: string, method: string, action: string, handle: string): Mutation => ({
  rule: `${method} of ${file} asks for ${action}`,
  edits: [
    ...(action === 'pull' ? [anyAction] : []),
    {
      file: `http/${file}.ts`,
      find: `${method}: { action: '${action}', handle: ${handle} }`,
      replace: `${method}: { action: '${action === 'pull' ? 'ping' : 'pull'}', handle: ${handle} }`,
    },
  ],
  cast: action === 'pull' ? tenant : reader,
})

const [blobs, manifests, uploads] = [
  'metadata/operations/blobs.ts',
  'metadata/operations/manifests.ts',
  'http/uploads.ts',
]

/** Routes, and what is decided where something is stored. */
export const routeMutations: readonly Mutation[] = [
  weakened('manifests', 'GET', 'pull', 'get'),
  weakened('manifests', 'HEAD', 'pull', 'get'),
  weakened('manifests', 'PUT', 'push', 'put'),
  weakened('manifests', 'DELETE', 'delete', 'remove'),
  weakened('blobs', 'GET', 'pull', 'get'),
  weakened('blobs', 'HEAD', 'pull', 'get'),
  weakened('blobs', 'DELETE', 'delete', 'remove'),
  weakened('uploads', 'POST', 'push', 'start'),
  weakened('uploads', 'GET', 'push', 'status'),
  weakened('uploads', 'HEAD', 'push', 'status'),
  weakened('uploads', 'PATCH', 'push', 'append'),
  weakened('uploads', 'PUT', 'push', 'finish'),
  weakened('uploads', 'DELETE', 'push', 'cancel'),
  ...['tags', 'referrers'].map((file) => ({
    rule: `the list of ${file} asks for pull`,
    edits: [anyAction, { file: `http/${file}.ts`, find: "action: 'pull'", replace: "action: 'ping'" }],
    cast: tenant,
  })),
  dropped('the catalog asks for the list', 'http/catalog.ts', "action: 'list'", "action: 'ping'", [
    'deleter (Bearer for here only)',
  ]),
  dropped(
    'the catalog shows what may be seen',
    'http/catalog.ts',
    "visible: await access.visible(principal, 'list')",
    "visible: { kind: 'all' }",
    reader,
  ),
  dropped(
    'every request to a repository is authorised',
    'http/handle.ts',
    'const grant = await access.authorize(principal, operation.action, resourceOf(match.route, repository, match.last))',
    'const grant = { actor: principal.name, action: operation.action, repository, overwriteTags: true }',
    stranger,
  ),
  dropped(
    'every other request is authorised',
    'http/handle.ts',
    'const grant = await access.authorize(principal, operation.action, { repository: undefined })',
    'const grant = { actor: principal.name, action: operation.action, repository: undefined, overwriteTags: true }',
    stranger,
  ),
  dropped(
    'accounts decide',
    'registry.ts',
    'accounts?.control ?? options.access ?? {}',
    'options.access ?? {}',
    stranger,
  ),
  dropped(
    'the source of a mount is authorised',
    uploads,
    "await access.authorize(call.principal, 'pull', { repository })",
    '',
    creator,
  ),
  dropped(
    'a mount from anywhere is from what may be pulled',
    uploads,
    "readable: await access.visible(call.principal, 'mount')",
    "readable: { kind: 'all' }",
    creator,
  ),
  dropped(
    'a source that may not be pulled is one that has nothing',
    uploads,
    "if (error instanceof RegistryError && (error.fault === 'unauthorized' || error.fault === 'denied')) return undefined",
    '',
    creator,
  ),

  dropped(
    'a blob is where it is linked',
    blobs,
    ".where('r.name', '=', p.repository)",
    ".where('r.name', '>', '')",
    creator,
  ),
  dropped(
    'a manifest is where it was pushed',
    manifests,
    ".where('r.name', '=', p.repository)\n    .where('m.digest', '=', p.digest)",
    ".where('r.name', '>', '')\n    .where('m.digest', '=', p.digest)",
    creator,
  ),
  dropped(
    'a manifest needs blobs of its repository',
    manifests,
    'if (blobs.length > 0 || manifests.length > 0) {',
    'if (blobs.length > 1_000_000) {',
    creator,
  ),
  dropped('a mount has a source', blobs, '(yield* findBlob(from, digest)) && from', 'from', creator),
  dropped(
    'an upload is of a repository',
    'content/open-uploads.ts',
    'repository !== grant.repository || ',
    '',
    creator,
  ),
  dropped('an upload is of who began it', 'content/open-uploads.ts', 'actor !== grant.actor || ', '', creator),
  dropped(
    'tags are moved by who may',
    manifests,
    'if (first !== undefined && !grant.overwriteTags) {',
    'if (first === null) {',
    creator,
  ),
  dropped(
    'a blob that is needed stays',
    blobs,
    "if (use !== undefined) return { outcome: 'in-use', by: use.by }",
    '',
    administrator,
  ),
  dropped(
    'an immutable tag is not moved',
    manifests,
    'taken.find((tag) => isImmutable(grant, tag)) ??',
    'undefined ??',
    administrator,
    { immutable: true },
  ),
  dropped(
    'an immutable tag is not deleted',
    'metadata/operations/tags.ts',
    'if (isImmutable(grant, tag) &&',
    'if (tag === null &&',
    administrator,
    { immutable: true },
  ),
  dropped(
    'what an immutable tag names is not deleted',
    manifests,
    "if (fixed !== undefined) return { outcome: 'tag-immutable', tag: fixed }",
    '',
    administrator,
    { immutable: true },
  ),
  dropped(
    'what an immutable tag needs is not deleted',
    blobs,
    "if (fixed !== undefined) return { outcome: 'tag-immutable', tag: fixed }",
    '',
    administrator,
    { immutable: true },
  ),

  {
    rule: 'each tag that a push by digest sets is asked for',
    edits: [
      {
        file: 'http/manifests.ts',
        find: "const forTag = await access.authorize(principal, 'push', { repository, tag })",
        replace: 'const forTag = { ...grant, tag, access, principal }',
      },
    ],
    cast: [],
    host: true,
  },
  {
    rule: 'each tag that a deletion by digest takes is asked for',
    edits: [
      {
        file: 'http/manifests.ts',
        find: "for (const tag of others) await access.authorize(principal, 'delete', { repository, tag })",
        replace: 'void [access, principal]',
      },
    ],
    cast: [],
    host: true,
  },
  {
    rule: 'a tag in the path is asked for',
    edits: [
      {
        file: 'http/handle.ts',
        find: "route === 'manifest' && isTag(last) ? { repository, tag: last } : { repository }",
        replace: "route === 'manifest' && isTag(last) ? { repository } : { repository }",
      },
    ],
    cast: [],
    host: true,
  },
  {
    rule: 'what a host could forbid is not listed',
    edits: [
      {
        file: 'access/access.ts',
        find: "control.authorize === undefined ? { kind: 'all' } : { kind: 'any-of', globs: [] }",
        replace: "control.authorize === null ? { kind: 'any-of', globs: [] } : { kind: 'all' }",
      },
    ],
    cast: [],
    host: true,
  },
  ...(
    [
      ['a token narrows what a host allows', 'if (because !== undefined) return tooNarrow[because]', ''],
      ['and which tags are moved', "narrowing(principal, 'overwrite', repository) === undefined", 'true'],
      ['and the list of a host', 'return mayList(principal) ? said : otherScope', 'return said'],
      ['and what is in it', 'if (within.length === 0) return shown', 'if (within.length < 9) return shown'],
    ] as const
  ).map(([rule, find, replace]) => ({
    rule,
    edits: [{ file: 'accounts/verdicts.ts', find, replace }],
    cast: [],
    host: true as const,
  })),
]
