import type { Act, PrincipalKind, RepositoryKind, Transport } from './policy-model.ts'

/** Somebody who can show who they are, in one of the ways there are. */
export interface Credential {
  readonly principal: PrincipalKind
  /** How it is shown, and what became of it; unique together with `principal`. */
  readonly label: string
  /** What the model has to know of it. */
  readonly transport: Transport
  /** As the registry names its owner, who is the owner of uploads too. */
  readonly actor: string
  /** Also methods that no route has. */
  readonly thorough?: true
  /** Where it is tried; everywhere by default. */
  readonly only?: readonly RepositoryKind[]
  /** A guess at a password: it costs the registry a derivation, and only so many are taken in a minute. */
  readonly guess?: true
  /** The header `Authorization` for a request to this repository. */
  readonly authorization: (repository: string | undefined) => Promise<string | undefined>
  /** How it asks for a token. */
  readonly login?: Login
}

/** To the token endpoint: a header, or a form. */
export type Login =
  | { readonly authorization: string | undefined }
  | { readonly form: () => Promise<Readonly<Record<string, string>>> }

const everything: readonly Act[] = ['pull', 'push', 'overwrite', 'delete']

/** How credentials are shown, as the model sees it. */
export const transports = {
  none: { credential: 'none' },
  refused: { credential: 'refused' },
  plain: { credential: 'taken' },
  /** A Bearer token with every scope that a client asks for, also for where a mount comes from. */
  bearer: { credential: 'taken', scopes: { acts: everything, where: 'here' }, catalog: true },
  /** As a client gets it that asks for what the challenge named: nothing for the source of a mount. */
  bearerHereOnly: { credential: 'taken', scopes: { acts: everything, where: 'here-only' } },
  bearerPull: { credential: 'taken', scopes: { acts: ['pull'], where: 'here' } },
  bearerPush: { credential: 'taken', scopes: { acts: ['pull', 'push', 'overwrite'], where: 'here' } },
  bearerElsewhere: { credential: 'taken', scopes: { acts: everything, where: 'elsewhere' } },
  bearerNothing: { credential: 'taken', scopes: { acts: [], where: 'here' } },
  pullToken: { credential: 'taken', token: { acts: ['pull'], where: 'everywhere' } },
  pullTokenBearer: {
    credential: 'taken',
    token: { acts: ['pull'], where: 'everywhere' },
    scopes: { acts: everything, where: 'here' },
    catalog: true,
  },
  pushToken: { credential: 'taken', token: { acts: ['pull', 'push'], where: 'everywhere' } },
  pushTokenBearerPull: {
    credential: 'taken',
    token: { acts: ['pull', 'push'], where: 'everywhere' },
    scopes: { acts: ['pull'], where: 'here' },
  },
  blindToken: { credential: 'taken', token: { acts: ['push'], where: 'everywhere' } },
  foreignToken: { credential: 'taken', token: { acts: everything, where: 'elsewhere' } },
  foreignTokenBearer: {
    credential: 'taken',
    token: { acts: everything, where: 'elsewhere' },
    scopes: { acts: everything, where: 'here' },
    catalog: true,
  },
} as const satisfies Record<string, Transport>

export type ScopesOf = (repository: string | undefined) => readonly string[]

/** Repositories that mounts come from. */
const sources = ['public/app', 'internal/app', 'acme/app', 'globex/app']

export const scopes = {
  full: (repository) => [
    'registry:catalog:*',
    ...(repository === undefined ? [] : [`repository:${repository}:pull,push,delete`]),
    ...sources.map((source) => `repository:${source}:pull`),
  ],
  hereOnly: (repository) => (repository === undefined ? [] : [`repository:${repository}:pull,push,delete`]),
  pull: (repository) => [
    ...(repository === undefined ? [] : [`repository:${repository}:pull`]),
    ...sources.map((source) => `repository:${source}:pull`),
  ],
  push: (repository) => [
    ...(repository === undefined ? [] : [`repository:${repository}:pull,push`]),
    ...sources.map((source) => `repository:${source}:pull`),
  ],
  elsewhere: () => ['repository:acme/elsewhere:pull,push,delete'],
  nothing: () => [],
} as const satisfies Record<string, ScopesOf>

export const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
