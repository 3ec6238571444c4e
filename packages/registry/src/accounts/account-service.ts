import { createHash } from 'node:crypto'
import type { AccessControl } from '../access/access.ts'
import type { Policies } from '../access/policies.ts'
import type { Rule } from '../access/rules.ts'
import { OptionsError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { AccountStore, IssuerRow } from '../metadata/account-store.ts'
import { AccountError } from './account-error.ts'
import type { AccountOptions } from './account-options.ts'
import type { Accounts } from './accounts.ts'
import { createAdministration, issuerRow } from './administration.ts'
import { createAuthenticate } from './authenticate.ts'
import { checkActions, checkRepositories, checkSubject } from './checks.ts'
import { createDirectory } from './directory.ts'
import { createExplain } from './explain.ts'
import { addFirstAdministrator } from './first-administrator.ts'
import { createLogin, type LoggedIn } from './login.ts'
import { createCredentialCheck } from './passwords/credential-check.ts'
import { createGuard } from './passwords/guard.ts'
import { createPasswords } from './passwords/hash-queue.ts'
import { createHtpasswd } from './passwords/htpasswd.ts'
import { createVerified } from './passwords/verified.ts'
import { createSessions } from './session.ts'
import { createTokenIssuer } from './token-issuer.ts'
import type { TokenService } from './token-service.ts'
import { createTokenUses } from './token-uses.ts'
import { createBearer } from './tokens/bearer.ts'
import { createExternalTokens } from './tokens/external.ts'
import { createKeyRing } from './tokens/key-ring.ts'
import { loadSecret } from './tokens/secret.ts'
import { createVerdicts, narrowed } from './verdicts.ts'
import { issuerProblems } from './workloads/issuer-problems.ts'
import { createWorkloads } from './workloads/issuers.ts'

/** A registry's own accounts: who asks, what they may, tokens, and how all that is administered. */
export interface AccountService extends AsyncDisposable {
  /** What the host decides itself in its place. */
  readonly control: AccessControl
  /** Undefined when tokens come from a server elsewhere. */
  readonly tokens: TokenService | undefined
  readonly service: string
  /** Where clients are sent for a token when that is elsewhere. */
  readonly realm: string | undefined
  readonly accounts: Accounts
  /** What is done now and then: ended tokens and old keys go, uses of tokens are written. */
  sweep(): Promise<void>
}

export interface AccountServiceOptions {
  readonly options: AccountOptions
  readonly store: AccountStore
  readonly policies: Policies
  /** What the host decides itself. */
  readonly host: AccessControl
  /** Of the data directory; undefined when the host brought the stores, or everything is in memory. */
  readonly directory: string | undefined
  readonly inMemory: boolean
  readonly publicUrl: string
  readonly logger: Logger
  readonly now: () => number
}

/** @throws OptionsError, or AccountError, when an option cannot be used. */
export const openAccountService = async (given: AccountServiceOptions): Promise<AccountService> => {
  const { options, store, policies, logger, now } = given
  await using opened = new AsyncDisposableStack()
  const rules = configuredRules(options)
  const issuers = configuredIssuers(options)
  const service = options.service ?? (given.publicUrl === '' ? 'stowage' : new URL(given.publicUrl).host)

  if (options.secret === undefined && given.directory === undefined && !given.inMemory) {
    // Processes that share a database must share the secret too, and none of them can know where.
    throw new OptionsError(
      'accounts.secret must be given where the stores are the host’s; make one with `openssl rand -hex 32`',
    )
  }
  const secret = await loadSecret({ given: options.secret, directory: given.directory })
  const algorithm = options.signingAlgorithm ?? 'EdDSA'
  const keys = createKeyRing({ store, secret, algorithm, now, logger })
  const bearer = createBearer({ keys, service, lifetime: options.tokenLifetime ?? 600, now })
  const verified = createVerified<LoggedIn>({ now })
  const directory = createDirectory({
    store,
    rules,
    issuers,
    now,
    logger,
    onChange: () => {
      verified.clear()
      keys.refresh()
      bearer.forget()
    },
  })
  const passwords = opened.use(createPasswords({}))
  const htpasswd =
    options.htpasswd === undefined
      ? undefined
      : opened.use(await createHtpasswd({ path: options.htpasswd, logger, now }))
  const uses = createTokenUses(store, now)
  opened.defer(uses.flush)
  const workloads = createWorkloads({ now, logger })
  const sessions = createSessions({ directory, htpasswd, now, onTokenUsed: uses.used })
  const guard = createGuard({ now })
  const login = createLogin({
    directory,
    passwords,
    htpasswd,
    credentials: options.credentials,
    workloads,
    known: createCredentialCheck({
      guard,
      verified,
      // What the host knows may end at any moment, and only the host can say so.
      keeps: ({ session }) => session.kind !== 'host',
    }),
    guard,
    now,
    onTokenUsed: uses.used,
  })
  const { tokenServer } = options
  const external =
    tokenServer === undefined ? undefined : createExternalTokens({ server: tokenServer, service, now, logger })
  await addFirstAdministrator(store, passwords, options.firstAdministrator, now, logger)

  const accounts = createAdministration({
    store,
    directory,
    passwords,
    keys,
    explain: createExplain(directory, policies, htpasswd),
    configured: { rules, issuers },
    now,
  })
  const verdicts = createVerdicts(directory)
  const host = narrowed(given.host)
  const authorize = host.authorize ?? verdicts.authorize
  // Lists must not show what the host's `authorize` could forbid; only the host can say what that is.
  const visible = host.visible ?? (host.authorize === undefined ? verdicts.visible : undefined)
  const closing = opened.move()
  return {
    control: {
      authenticate: given.host.authenticate ?? createAuthenticate({ directory, login, sessions, bearer, external }),
      authorize,
      ...(visible !== undefined && { visible }),
    },
    tokens:
      external === undefined
        ? createTokenIssuer({ store, authorize, login, sessions, bearer, service, now })
        : undefined,
    service,
    realm: tokenServer?.realm,
    accounts,
    sweep: async () => {
      await uses.flush()
      await store.removeExpiredTokens(now())
      await keys.prune()
    },
    [Symbol.asyncDispose]: async () => closing.disposeAsync(),
  }
}

/** @throws AccountError that names the rule and the field. */
const configuredRules = ({ rules = [] }: AccountOptions): Rule[] =>
  rules.map(({ subject, repositories, actions }, index) => ({
    subject: checkSubject(subject),
    repositories: checkRepositories(repositories, `rules[${index}].repositories`),
    actions: checkActions(actions, `rules[${index}].actions`),
  }))

/**
 * The id of an issuer is made of what it says: what was signed for it holds until that changes.
 *
 * @throws AccountError that names the issuer and the field.
 */
const configuredIssuers = ({ issuers = [] }: AccountOptions): IssuerRow[] => {
  const names = new Set<string>()
  return issuers.map((issuer, index) => {
    const field = `issuers[${index}]`
    const [problem] = issuerProblems(issuer)
    if (problem !== undefined) {
      throw new AccountError('invalid', `${field}.${problem.field}: ${problem.message}`, `${field}.${problem.field}`)
    }
    if (names.has(issuer.name)) {
      throw new AccountError('exists', `${field}: there is an issuer ${issuer.name} already.`, `${field}.name`)
    }
    names.add(issuer.name)
    return issuerRow(issuer, 0, createHash('sha256').update(JSON.stringify(issuer)).digest('hex'))
  })
}
