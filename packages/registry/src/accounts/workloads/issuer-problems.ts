import { AccountError } from '../account-error.ts'
import type { Issuer } from '../accounts.ts'
import { checkPermissions } from '../checks.ts'
import { remoteUrlProblem } from './remote-document.ts'

export interface IssuerProblem {
  /** As in `conditions` or `permissions[0].actions`. */
  readonly field: string
  /** A sentence. */
  readonly message: string
}

/** Names of their own for other principals: `token:<subject>` is somebody with an external token server's token. */
const reservedNames = ['token']

/** Claims that every token of the issuer has alike, or that have a field of their own. */
const claimsThatSayNothing = ['iss', 'aud', 'exp', 'iat', 'nbf', 'jti']

const mostConditions = 20
const longestText = 512

/** Everything that is wrong with an issuer, which may come from a file or a request: nothing about it is taken for granted. */
export const issuerProblems = (issuer: Issuer): IssuerProblem[] => {
  const {
    name,
    issuer: url,
    audience,
    jwksUri,
    conditions,
    permissions,
  } = (issuer ?? {}) as Partial<Record<keyof Issuer, unknown>>
  return [
    ...nameProblems(name),
    ...urlProblems('issuer', url),
    ...(typeof url === 'string' && url.includes('?') ? [{ field: 'issuer', message: 'An issuer has no query.' }] : []),
    ...(isText(audience)
      ? []
      : [{ field: 'audience', message: `The audience is a text of 1 to ${longestText} printable characters.` }]),
    ...(jwksUri === undefined ? [] : urlProblems('jwksUri', jwksUri)),
    ...conditionProblems(conditions),
    ...permissionProblems(permissions),
  ]
}

const nameProblems = (name: unknown): IssuerProblem[] => {
  if (typeof name !== 'string' || !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
    const message =
      'The name of an issuer has 1 to 63 lower-case letters, digits and hyphens; it neither begins nor ends with a hyphen.'
    return [{ field: 'name', message }]
  }
  if (!reservedNames.includes(name)) return []
  return [{ field: 'name', message: `An issuer cannot have the name "${name}", which stands for something else.` }]
}

const urlProblems = (field: string, url: unknown): IssuerProblem[] => {
  const problem = remoteUrlProblem(url)
  return problem === undefined ? [] : [{ field, message: `The field \`${field}\` ${problem}.` }]
}

const conditionProblems = (conditions: unknown): IssuerProblem[] => {
  const field = 'conditions'
  if (typeof conditions !== 'object' || conditions === null || Array.isArray(conditions)) {
    return [{ field, message: 'The conditions are claims, each with the glob that its value must match.' }]
  }
  const entries: [string, unknown][] = Object.entries(conditions)
  if (entries.length > mostConditions) return [{ field, message: `There are at most ${mostConditions} conditions.` }]
  const problems = entries.flatMap(([claim, glob]) => {
    if (!isText(claim)) return [{ field, message: `A claim has a name of 1 to ${longestText} printable characters.` }]
    if (claimsThatSayNothing.includes(claim)) {
      return [{ field, message: `The claim ${claim} is checked already: make a condition of one that says who it is.` }]
    }
    if (isText(glob)) return []
    return [{ field, message: `The condition on ${claim} is a glob of 1 to ${longestText} printable characters.` }]
  })
  if (problems.length > 0) return problems
  // `*` everywhere is to say nothing at greater length.
  if (entries.some(([, glob]) => !/^\*+$/.test(String(glob)))) return []
  const message =
    'An issuer needs a condition that only your own jobs meet, as in `repository_owner: your-name`: others use it too.'
  return [{ field, message }]
}

const permissionProblems = (permissions: unknown): IssuerProblem[] => {
  try {
    checkPermissions(permissions, 'permissions')
    return []
  } catch (error) {
    if (!(error instanceof AccountError)) throw error
    return [{ field: error.field ?? 'permissions', message: error.message }]
  }
}

const isText = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= longestText && /^[ -~]*[!-~][ -~]*$/.test(value)
