import { dropped, type Mutation } from './mutation.ts'

const [session, login, bearer, scope] = [
  'accounts/session.ts',
  'accounts/login.ts',
  'accounts/tokens/bearer.ts',
  'accounts/tokens/scope.ts',
]
const authenticate = 'accounts/authenticate.ts'
const issuers = 'accounts/workloads/issuers.ts'
/** Those whom they pretend to be are there, and asked nothing. */
const impostor = (label: string, ...more: string[]): string[] => [
  `anonymous (${label})`,
  'deleter (there)',
  'writer (there)',
  ...more,
]

/** Who somebody is, and whether they still are. */
export const accountMutations: readonly Mutation[] = [
  dropped('a name that is used again is another user', session, 'user.id !== session.uid || ', '', [
    'revoked (Bearer, another user now)',
  ]),
  dropped('who is disabled is nobody', session, ' || user.disabledAt !== undefined', '', [
    'disabled (Bearer, user disabled)',
  ]),
  dropped(
    'a new password ends the tokens of the old one',
    session,
    'session.pwd === user.passwordChangedAt ? asPrincipal(user) : undefined',
    'asPrincipal(user)',
    ['revoked (Bearer, password changed)'],
  ),
  dropped(
    'a removed token takes along what was got with it',
    session,
    'if (token === undefined || token.userId !== user.id ||',
    'if (token === undefined) return asPrincipal(user)\n    if (token.userId !== user.id ||',
    ['revoked (Bearer by token, token removed)'],
  ),
  dropped(
    'a token that has ended takes along what was got with it',
    session,
    ' || hasEnded(token, now())) return undefined',
    ') return undefined',
    ['expired (Bearer by token)'],
  ),
  dropped('tokens end', session, 'token.expiresAt <= now', 'token.expiresAt < 0', ['expired (token as password)']),
  dropped('a token has permissions of its own', session, 'asPrincipal(user, token.permissions)', 'asPrincipal(user)', [
    'deleter (token to pull)',
  ]),
  dropped('who is gone from the file is nobody', session, 'htpasswd?.stampOf(subject) === line', 'line !== undefined', [
    'revoked (Bearer by the file, gone from the file)',
  ]),
  dropped('a user of the store goes before one of the file', session, '!shadowed && ', '', [
    'revoked (Bearer by the file, a user of the store now)',
  ]),
  dropped('an issuer that is trusted no more is not', session, 'if (trusted.length === 0) return undefined', '', [
    'revoked (Bearer, issuer removed)',
  ]),
  dropped('a job is of those issuers whose conditions it met', session, 'ids.includes(id)', 'ids.length > 0', [
    'reader (ID token as password)',
    'administrator (ID token as password)',
  ]),
  dropped('scopes come on top of what a token has', session, '[...(principal.within ?? []), within]', '[within]', [
    'deleter (Bearer by token to pull)',
  ]),

  dropped('the secret of a token is compared', login, '!matches || ', '', impostor('the id of a token')),
  dropped(
    'a refresh token is no password',
    login,
    "if (parsed.kind !== 'personal') throw wrongCredentials()",
    '',
    impostor('a refresh token as password'),
  ),
  dropped(
    'a token is of the kind that it says',
    login,
    'token.kind !== kind || ',
    '',
    impostor('a refresh token in disguise'),
  ),
  dropped(
    'a token is for the name of its owner',
    login,
    'if (name !== undefined && name !== token.user) throw wrongCredentials()',
    '',
    impostor('the token of another user'),
  ),
  dropped('a password is compared', login, 'settled(ofStore) === true && ', '', impostor('wrong password')),
  dropped(
    'a password is compared with the hash',
    'accounts/passwords/hash-queue.ts',
    'const equal = timingSafeEqual(found, tag)',
    'const equal = true',
    impostor('wrong password'),
  ),
  dropped(
    'nobody has no password',
    login,
    '(withLine(name, settled(ofFile)) ?? withPrincipal(settled(ofHost)))',
    "withPrincipal({ kind: 'user', name, administrator: true })",
    impostor('nobody’s name'),
  ),
  dropped(
    'a password of the file is compared',
    login,
    'right === true ? htpasswd?.stampOf(name) : undefined',
    'htpasswd?.stampOf(name)',
    impostor('wrong password of the file', 'deleter (in the file)'),
  ),
  dropped(
    'a password of the file is compared with its line',
    'accounts/passwords/htpasswd.ts',
    'return same && usable',
    'return usable',
    impostor('wrong password of the file', 'deleter (in the file)'),
  ),
  dropped('refresh tokens end', login, ' || hasEnded(token, now())', '', ['expired (Bearer by refresh)']),
  {
    rule: 'who is disabled gets no token',
    edits: [
      { file: session, find: ' || user.disabledAt !== undefined', replace: '' },
      { file: login, find: ' || user.disabledAt !== undefined', replace: '' },
      { file: login, find: ' && user.disabledAt === undefined', replace: '' },
    ],
    cast: ['disabled (token as password, user disabled)'],
  },

  dropped(
    'an unheard-of scheme is no stranger',
    authenticate,
    "case 'unknown':",
    "case 'unknown':\n        return anonymous",
    impostor('another scheme'),
  ),
  dropped(
    'an ended session is no stranger',
    authenticate,
    'if (principal === undefined) throw sessionEnded()',
    'if (principal === undefined) return anonymous',
    ['disabled (Bearer, user disabled)'],
  ),
  dropped('a token has scopes', authenticate, 'return narrowed(principal, withinOf(claims))', 'return principal', [
    'deleter (Bearer to pull)',
  ]),
  dropped(
    'wrong credentials are wrong',
    'http/handle.ts',
    'principal = await access.authenticate(request)\n    } catch (error) {',
    'principal = await access.authenticate(request)\n    } catch (error) {\n      if (error instanceof RegistryError) return anonymous',
    impostor('no such token'),
  ),

  {
    rule: 'Bearer tokens end',
    edits: [
      { file: bearer, find: 'clockTolerance: skew', replace: 'clockTolerance: 1e9' },
      { file: bearer, find: 'if (exp * 1000 <= now || ', replace: 'if (' },
      { file: bearer, find: 'known.exp * 1000 > now()', replace: 'known.exp > 0' },
    ],
    cast: ['expired (Bearer)'],
  },
  dropped(
    'a signature is verified',
    bearer,
    'const { payload } = await jwtVerify(token, key.publicKey, {',
    "const { payload } = await (async (text: string, ..._: unknown[]) => ({ payload: JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) }))(token, key.publicKey, {",
    impostor('a Bearer token with another signature'),
  ),
  dropped('revoked keys are gone', 'accounts/tokens/key-ring.ts', 'if (revoke) {', 'if (revoke === null) {', [
    'revoked (Bearer of a revoked key)',
  ]),
  dropped('a scope is for a repository', scope, '[{ repositories: name, actions', "[{ repositories: '*', actions", [
    'deleter (Bearer for elsewhere)',
  ]),
  dropped('a scope is for actions', scope, "pull: ['pull'],", "pull: ['pull', 'push', 'delete'],", [
    'deleter (Bearer to pull)',
  ]),
  dropped('to push is not to delete', scope, "push: ['push', 'overwrite'],", "push: ['push', 'overwrite', 'delete'],", [
    'deleter (Bearer to push)',
  ]),
  dropped('the catalog has a scope', scope, 'catalog: access.some(isCatalog)', 'catalog: true', [
    'deleter (Bearer for here only)',
  ]),
  dropped(
    'scopes are granted as far as rules allow',
    scope,
    "&& allowed(action === '*' ? 'administer' : action, name)",
    '',
    ['reader (password)'],
  ),
  dropped(
    'scopes are granted as far as they were asked for',
    scope,
    "(actions.has(action) || actions.has('*')) && ",
    '',
    ['administrator (password)'],
  ),
  dropped(
    'scopes are granted as far as the token allows',
    'accounts/token-issuer.ts',
    'authorize(principal, action, { repository })',
    'authorize({ ...principal, within: [] }, action, { repository })',
    ['deleter (token to pull)'],
  ),

  dropped(
    'a job meets the conditions',
    issuers,
    ' && meetsConditions(entry.conditions, claims)',
    '',
    impostor('an ID token of a job that is not trusted', 'deleter (as a job)'),
  ),
  dropped(
    'a token is for this registry',
    issuers,
    'hasAudience(claims, entry.audience) && ',
    '',
    impostor('an ID token for somebody else', 'deleter (as a job)'),
  ),
  {
    rule: 'ID tokens end',
    edits: [
      { file: issuers, find: 'clockTolerance: skew', replace: 'clockTolerance: 1e9' },
      { file: issuers, find: 'if (exp === undefined || exp * 1000 <= now)', replace: 'if (exp === undefined)' },
    ],
    cast: ['expired (ID token as password)', 'deleter (as a job)'],
  },

  dropped(
    'what was changed holds at once',
    'accounts/administration.ts',
    'const user = await changed(store.changeUser(name, values))',
    'const user = await store.changeUser(name, values)',
    ['disabled (Bearer, user disabled)'],
  ),
  {
    rule: 'with a password its refresh tokens end',
    edits: [
      {
        file: 'metadata/operations/accounts/users.ts',
        find: 'if (ends) yield* removeRefreshTokens(user.id)',
        replace: 'void [ends, removeRefreshTokens]',
      },
      { file: login, find: 'token.passwordChangedAt !== user.passwordChangedAt', replace: 'token.userId !== user.id' },
    ],
    cast: ['revoked (Bearer by refresh, password changed)'],
  },
]
