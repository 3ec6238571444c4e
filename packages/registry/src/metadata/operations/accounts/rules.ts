import { permissionActions, type PermissionAction } from '../../../access/permission.ts'
import type { RuleSubject } from '../../../access/rules.ts'
import type { RuleRow } from '../../account-store.ts'
import type { Operation, WriteOperation } from '../../operation.ts'
import { all, one, run, Undone } from '../../operation.ts'
import { statement } from '../../statement.ts'
import { changeAccess } from './version.ts'

const everyRule = statement<object>()((db) =>
  db
    .selectFrom('access_rules')
    .select((eb) => [
      'id',
      eb.ref('subject_kind').$castTo<RuleSubject['kind']>().as('kind'),
      'subject_name as name',
      'repositories',
      'actions',
      'created_at as createdAt',
    ])
    .orderBy('id'),
)

export function* listRules(): Operation<RuleRow[]> {
  const rows = yield* all(everyRule, {})
  return rows.map(({ kind, name, actions, ...rule }) => ({
    ...rule,
    subject: kind === 'user' || kind === 'group' ? { kind, name } : { kind },
    actions: parseActions(actions),
  }))
}

/** One text for one set, whatever its order: by it the same rule is known. */
function actionsText(actions: readonly PermissionAction[]): string {
  return permissionActions.filter((action) => actions.includes(action)).join(',')
}

function parseActions(text: string): PermissionAction[] {
  const words = text.split(',')
  return permissionActions.filter((action) => words.includes(action))
}

/** Gives a row only when there was no such rule. */
const insertRule = statement<{ kind: string; name: string; repositories: string; actions: string; at: number }>()(
  (db, p) =>
    db
      .insertInto('access_rules')
      .values({
        subject_kind: p.kind,
        subject_name: p.name,
        repositories: p.repositories,
        actions: p.actions,
        created_at: p.at,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id'),
)

export function* addRule(rule: Omit<RuleRow, 'id'>): WriteOperation<RuleRow | false> {
  const { subject, repositories, createdAt } = rule
  const actions = actionsText(rule.actions)
  yield* changeAccess()
  const added = yield* one(insertRule, {
    kind: subject.kind,
    name: 'name' in subject ? subject.name : '',
    repositories,
    actions,
    at: createdAt,
  })
  if (added === undefined) return new Undone<RuleRow | false>(false)
  return { id: added.id, subject, repositories, actions: parseActions(actions), createdAt }
}

const deleteRule = statement<{ id: number }>()((db, p) =>
  db.deleteFrom('access_rules').where('id', '=', p.id).returning('id'),
)

export function* removeRule(id: number): WriteOperation<boolean> {
  yield* changeAccess()
  return (yield* one(deleteRule, { id })) === undefined ? new Undone(false) : true
}

const deleteRulesOfUser = statement<{ name: string }>()((db, p) =>
  db.deleteFrom('access_rules').where('subject_kind', '=', 'user').where('subject_name', '=', p.name),
)

export function* removeRulesOfUser(name: string): Operation<void> {
  yield* run(deleteRulesOfUser, { name })
}
