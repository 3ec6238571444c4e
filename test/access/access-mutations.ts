import { dropped, type Mutation } from './mutation.ts'

const stranger = ['anonymous (nothing)']
const reader = ['reader (password)']
const creator = ['creator (password)']
const writer = ['writer (password)']
const deleter = ['deleter (password)']
const administrator = ['administrator (password)']

const [access, policies, permission, rules, narrow, verdicts] = [
  'access/access.ts',
  'access/policies.ts',
  'access/permission.ts',
  'access/rules.ts',
  'access/narrow.ts',
  'accounts/verdicts.ts',
]

/** The choke point, policies, rules and verdicts. */
export const accessMutations: readonly Mutation[] = [
  dropped('a refusal refuses', access, 'if (!verdict.allow) throw refusal(verdict)', '', stranger),
  dropped('who must log in is told so', access, 'if (login !== undefined) {', 'if (login === null) {', stranger),
  dropped('a grant is in the name of who asked', access, 'actor: principal.name', "actor: 'somebody'", creator),
  dropped('a verdict says whether tags may be moved', access, 'verdict.overwriteTags ?? true', 'true', creator),
  dropped('policies are asked', access, '  assertPolicies(policies, action)\n', '', administrator, { readOnly: true }),
  dropped(
    'a grant knows what is immutable',
    access,
    '...(immutableTags.length > 0 && { immutableTags }),',
    '',
    administrator,
    { immutable: true },
  ),

  dropped('read-only is read-only', policies, 'policies.readOnly === true', 'policies === undefined', administrator, {
    readOnly: true,
  }),
  dropped(
    'read-only is for deletions too',
    policies,
    'if (policies.readOnly === true) {',
    "if (policies.readOnly === true && action === 'push') {",
    administrator,
    { readOnly: true },
  ),
  dropped(
    'read-only is for pushes too',
    policies,
    'if (policies.readOnly === true) {',
    "if (policies.readOnly === true && action === 'delete') {",
    administrator,
    { readOnly: true },
  ),
  dropped(
    'disabled deletion is disabled',
    policies,
    "if (action === 'delete' && policies.deletion === false) {",
    'if (policies === undefined) {',
    administrator,
    { deletionDisabled: true },
  ),
  dropped(
    'tags are immutable where the glob says so',
    policies,
    'immutableTags.filter(({ repositories }) => matchesGlob(repositories, repository))',
    'immutableTags.filter(() => false)',
    administrator,
    { immutable: true },
  ),
  dropped(
    'tags are immutable only where the glob says so',
    policies,
    'immutableTags.filter(({ repositories }) => matchesGlob(repositories, repository))',
    'immutableTags.filter(() => true)',
    administrator,
    { immutable: true },
  ),

  dropped(
    'a permission is for some repositories',
    permission,
    'matchesGlob(permission.repositories, repository)',
    'true',
    reader,
  ),
  dropped(
    'a permission is for some actions',
    permission,
    "(permission.actions.includes(action) || permission.actions.includes('administer'))",
    'true',
    reader,
  ),
  dropped('a glob has a beginning', permission, '!text.startsWith(first) || ', '', reader),

  dropped('not everybody is an administrator', rules, 'if (principal.administrator === true)', 'if (true)', reader),
  dropped(
    'a public rule is for its repositories',
    rules,
    'const rule = anonymous.find((each) => permits(each, action, repository))',
    'const rule = anonymous[0]',
    stranger,
  ),
  dropped(
    'a rule of a user is for that user',
    rules,
    'byUser.get(principal.name) ?? []',
    '[...byUser.values()].flat()',
    reader,
  ),
  dropped(
    'a rule of a group is for its members',
    rules,
    'byGroup.get(group) ?? []',
    '[...byGroup.values()].flat()',
    reader,
  ),
  dropped(
    'a group that was left is left',
    rules,
    'const groups = (principal.groups ?? [])',
    "const groups = [...(principal.groups ?? []), 'deleters']",
    ['revoked (password, left the group)'],
  ),
  dropped(
    'strangers have not logged in',
    rules,
    "'anonymous') return []",
    "'anonymous') return [authenticated]",
    stranger,
  ),
  dropped('who has logged in has', rules, '...groups, authenticated]', '...groups]', reader),
  dropped(
    'what is allowed to a job is what its issuer says',
    rules,
    'principal.own?.some((permission) => permits(permission, action, repository)) === true',
    'principal.own !== undefined',
    ['reader (ID token as password)'],
  ),
  dropped(
    'what no rule allows is denied',
    rules,
    "return { allowed: false, because: 'no-rule' }",
    "return { allowed: true, by: 'own' }",
    reader,
  ),
  dropped('credentials narrow what their owner may', narrow, 'within?.find(', '[].find(', ['creator (token to pull)']),
  dropped('every narrowing counts', narrow, 'within?.find(', 'within?.slice(0, 1).find(', [
    'creator (Bearer to pull by token to push)',
  ]),
  dropped('and the first of them', narrow, 'within?.find(', 'within?.slice(-1).find(', [
    'deleter (Bearer by token to pull)',
  ]),
  dropped(
    'a list asks for permission to pull',
    rules,
    "actions.includes(action) || actions.includes('administer')",
    'actions.length > 0',
    ['deleter (token without pull)'],
  ),

  dropped(
    'strangers are sent to the token endpoint',
    verdicts,
    'return isStranger(principal) ? logIn : allow',
    'return allow',
    stranger,
  ),
  dropped('strangers see no list', verdicts, 'if (isStranger(principal)) return logIn', '', stranger),
  dropped('a list has a scope of its own', narrow, "kind !== 'scopes' || catalog === true", 'true', [
    'deleter (Bearer for here only)',
  ]),
  dropped(
    'rules say whether tags may be moved',
    verdicts,
    "action === 'push' && rules.decide(principal, 'overwrite', repository).allowed",
    "action === 'push'",
    creator,
  ),
  dropped(
    'rules are asked for the action',
    verdicts,
    'const decision = rules.decide(principal, action, repository)',
    "const decision = rules.decide(principal, 'pull', repository)",
    reader,
  ),
  dropped(
    'a stranger is told to log in, not sent away',
    verdicts,
    "if (principal.kind === 'anonymous') return logIn",
    '',
    stranger,
  ),
  dropped('another token could have the scope', verdicts, '  scopes: otherScope,', '  scopes: { allow: false },', [
    'deleter (Bearer to pull)',
  ]),
  dropped(
    'only administrators see everything',
    verdicts,
    'if (principal.administrator === true) {',
    'if (true) {',
    reader,
  ),
  dropped(
    'credentials narrow lists',
    verdicts,
    "kind === 'token' || purpose === 'mount'",
    "kind === 'scopes' && purpose === 'mount'",
    ['deleter (token for elsewhere)'],
  ),
  dropped('scopes narrow mounts', verdicts, " || purpose === 'mount'", '', ['deleter (Bearer for here only)']),
  dropped(
    'a list shows what may be pulled',
    verdicts,
    "globsFor(rules.permissionsOf(principal), 'pull')",
    "['*']",
    reader,
  ),
  dropped('what is public is listed for everybody', verdicts, "globsFor(rules.anonymous, 'pull')", '[]', [
    'deleter (token for elsewhere)',
  ]),
  dropped(
    'who may move tags may',
    verdicts,
    "action === 'push' && rules.decide(principal, 'overwrite', repository).allowed",
    'false',
    writer,
  ),
  dropped(
    'who may delete may',
    verdicts,
    'const decision = rules.decide(principal, action, repository)',
    "const decision = rules.decide(principal, action === 'delete' ? 'administer' : action, repository)",
    deleter,
  ),
]
