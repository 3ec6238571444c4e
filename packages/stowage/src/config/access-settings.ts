import type { Setting } from './setting.ts'

/** The settings of who may do what. Part of the table in `settings.ts`. */
export const accessSettings = {
  'access.rules': {
    kind: 'rules',
    needsAuth: true,
    about:
      'Who may do what, besides the rules of `stowage access allow`: a list of `{ subject, repositories, actions }`; what no rule allows is denied',
  },
  'access.issuers': {
    kind: 'issuers',
    needsAuth: true,
    about:
      'OIDC issuers whose tokens are taken for credentials, besides those of `stowage issuer add`: a list of `{ name, issuer, audience, conditions, permissions }`, with `jwksUri` where the issuer does not say where its keys are',
  },
  'access.htpasswd': {
    kind: 'path',
    needsAuth: true,
    about: 'A file with further users (`htpasswd -B`, bcrypt), read again when it changes',
  },
  'access.service': {
    kind: 'service',
    needsAuth: true,
    about: 'What the registry is called in challenges and tokens; unset: the host of `publicUrl`, or `stowage`',
  },
  'access.secretFile': {
    kind: 'path',
    needsAuth: true,
    about:
      'A file with at least 32 characters, under which signing keys are sealed in the database; unset: `secret.key` in the data directory, made at the first start',
  },
  'tokens.lifetime': {
    kind: 'duration',
    default: '10m',
    least: 60,
    most: 3600,
    whole: true,
    needsAuth: true,
    about: 'How long the tokens are good for that clients get for their credentials',
  },
  'tokenServer.realm': {
    kind: 'endpoint',
    aliases: ['AUTHENTICATION_SERVER'],
    needsAuth: true,
    about:
      'Where clients get their tokens, if a server elsewhere makes them; with `tokenServer.issuer` and `tokenServer.jwks`',
  },
  'tokenServer.issuer': { kind: 'text', needsAuth: true, about: 'The `iss` of the tokens of that server' },
  'tokenServer.jwks': {
    kind: 'keys',
    needsAuth: true,
    about: 'The public keys of that server: the URL of a JWKS, or the path of a file with one',
  },
  'admin.name': {
    kind: 'user',
    default: 'admin',
    about: 'The first administrator, made with `admin.password` when there is no user at all',
  },
  'admin.password': {
    kind: 'secret',
    about: 'The password of the first administrator; never used again once there is a user',
  },
  'admin.passwordFile': { kind: 'path', about: 'A file with that password, in place of `admin.password`' },
  'policies.readOnly': {
    kind: 'boolean',
    default: false,
    about: 'Nothing is pushed, tagged, mounted or deleted, whoever asks; pulls go on',
  },
  'policies.deletion': { kind: 'boolean', default: true, about: 'Tags, manifests and blobs can be deleted' },
  'policies.immutableTags': {
    kind: 'tags',
    about:
      'Tags that nobody moves or deletes once they are set: a list of `repositories:tags`, both globs, as in `*:v*` or `team/app:release-*`',
  },
  'policies.quotas': {
    kind: 'quotas',
    about:
      'The most bytes that may be stored: a list of `{ repositories, bytes }` (all that the glob matches, together) and `{ user, bytes }` (`*` is each user)',
  },
  trustedProxies: {
    kind: 'networks',
    about:
      'Proxies in front whose `X-Forwarded-For`, `-Proto` and `-Host` (or `Forwarded`) are believed: a list of addresses and networks such as `10.0.0.0/8`; unset: none',
  },
} as const satisfies Record<string, Setting>
