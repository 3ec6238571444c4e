import type { ImmutableTags, Policies, QuotaRule } from './access/policies.ts'
import type { AccountOptions } from './accounts/account-options.ts'
import { checkRepositories } from './accounts/checks.ts'

/** Problems with options that are lists or need more than a range, each as a sentence that names the option. */

export const accountProblems = (accounts: AccountOptions | undefined): string[] => {
  if (accounts === undefined) return []
  const { tokenLifetime, signingAlgorithm, service, tokenServer } = accounts
  const problems: string[] = []
  if (
    tokenLifetime !== undefined &&
    !(Number.isInteger(tokenLifetime) && tokenLifetime >= 60 && tokenLifetime <= 3600)
  ) {
    problems.push('accounts.tokenLifetime must be a whole number of seconds from 60 to 3600')
  }
  if (signingAlgorithm !== undefined && !['EdDSA', 'ES256'].includes(signingAlgorithm)) {
    problems.push('accounts.signingAlgorithm must be EdDSA or ES256')
  }
  if (service !== undefined && !(typeof service === 'string' && /^[\w.:/-]{1,200}$/.test(service))) {
    problems.push('accounts.service must be a name of letters, digits and ._:/-, such as the host of the registry')
  }
  if (tokenServer !== undefined) problems.push(...tokenServerProblems(tokenServer))
  return problems
}

const tokenServerProblems = (server: NonNullable<AccountOptions['tokenServer']>): string[] =>
  (['realm', 'issuer', 'jwks'] as const)
    .filter((name) => typeof server[name] !== 'string' || server[name] === '')
    .map((name) => `accounts.tokenServer.${name} must be given`)

export const policyProblems = (policies: Policies | undefined): string[] => {
  if (policies === undefined) return []
  const problems: string[] = []
  for (const name of ['readOnly', 'deletion'] as const) {
    if (policies[name] !== undefined && typeof policies[name] !== 'boolean') {
      problems.push(`policies.${name} must be true or false`)
    }
  }
  const { immutableTags = [], quotas = [] } = policies
  const each = <Item>(name: string, list: readonly Item[], check: (item: Item, field: string) => string[]): void => {
    if (!Array.isArray(list)) problems.push(`policies.${name} must be a list`)
    else list.forEach((item: Item, index) => problems.push(...check(item, `policies.${name}[${index}]`)))
  }
  each('immutableTags', immutableTags, immutableProblems)
  each('quotas', quotas, quotaProblems)
  return problems
}

export const tagGlob = /^[A-Za-z0-9_.*-]{1,128}$/

const immutableProblems = ({ repositories, tags }: ImmutableTags, field: string): string[] => [
  ...globProblems(repositories, `${field}.repositories`),
  ...(typeof tags === 'string' && tagGlob.test(tags) ? [] : [`${field}.tags must be a tag, or a glob such as v*`]),
]

const quotaProblems = (rule: QuotaRule, field: string): string[] => [
  ...(Number.isSafeInteger(rule.bytes) && rule.bytes >= 0 ? [] : [`${field}.bytes must be a whole number of bytes`]),
  ...('repositories' in rule
    ? globProblems(rule.repositories, `${field}.repositories`)
    : typeof rule.user === 'string' && rule.user !== ''
      ? []
      : [`${field} must have repositories or user`]),
]

export const globProblems = (glob: unknown, field: string): string[] => {
  try {
    checkRepositories(glob, field)
    return []
  } catch (error) {
    return [`${field}: ${error instanceof Error ? error.message.replace(/\.$/, '') : String(error)}`]
  }
}
