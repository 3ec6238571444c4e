import { defineCommand } from '../command-line/define.ts'
import { text, texts } from '../command-line/option-kinds.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { describePermission, readActions } from './permission-options.ts'

export const issuerAdd = defineCommand({
  usage: '<name> <url>',
  arguments: {
    name: 'lower-case letters, digits and hyphens: its jobs are called NAME:…',
    url: 'the issuer of the tokens, their iss',
  },
  about:
    'Trusts the tokens of an OIDC issuer: a job of a CI system pushes with the token it has from there, and no secret is kept ' +
    'anywhere. A token must have every claim that is given, so that other users of the same CI system get nothing.',
  options: {
    audience: text('--audience <text>', 'what the aud of a token must have: the name of your registry, say'),
    claims: texts('--claim <name=glob>', 'a claim that a token must have; may be repeated'),
    repositories: texts('--repository <glob>', 'where its tokens may do something; may be repeated'),
    actions: text('--actions <actions>', 'what, of pull, push, overwrite, delete, with commas between'),
    jwks: text('--jwks <url>', 'where its keys are (default: the issuer is asked)'),
  },
  sides: 'server',
  examples: [
    [
      'stowage issuer add github https://token.actions.githubusercontent.com --audience registry.example --claim repository=acme/app --repository acme/app --actions pull,push',
      'jobs of acme/app on GitHub push',
    ],
  ],
  async run({ args: [name, url], options: { audience, claims, repositories, actions, jwks }, output, ...context }) {
    const missing = [
      audience === undefined ? '--audience' : '',
      claims.length === 0 ? '--claim' : '',
      repositories.length === 0 ? '--repository' : '',
      actions === undefined ? '--actions' : '',
    ].filter(Boolean)
    if (audience === undefined || actions === undefined || missing.length > 0) {
      throw new StowageError('usage', `Give ${missing.join(', ')} too: many people use the same issuer.`)
    }
    const allowed = readActions(actions)
    const issuer = await askAccounts(inputOf(context), 'issuer-add', {
      name,
      issuer: url,
      audience,
      ...(jwks !== undefined && { jwksUri: jwks }),
      conditions: Object.fromEntries(claims.map(readClaim)),
      permissions: repositories.map((glob) => ({ repositories: glob, actions: allowed })),
    })
    const permitted = issuer.permissions.map(describePermission).join('; ')
    await output.result(issuer, `Tokens of ${issuer.issuer} are good for ${permitted}`)
  },
})

const readClaim = (claim: string): [name: string, glob: string] => {
  const equals = claim.indexOf('=')
  if (equals > 0 && equals < claim.length - 1) return [claim.slice(0, equals), claim.slice(equals + 1)]
  throw new StowageError('usage', `--claim must be name=glob, as in repository=acme/app, not ${show(claim)}.`)
}
