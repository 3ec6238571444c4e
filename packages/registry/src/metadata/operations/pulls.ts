import type { PullCount } from '../event.ts'
import { elements, member, numberMember } from '../elements.ts'
import type { Operation } from '../operation.ts'
import { run } from '../operation.ts'
import { statement } from '../statement.ts'

const addPulls = statement<{ pulls: string }>()((db, p, dialect) =>
  db
    .updateTable('manifests')
    .from((eb) =>
      eb
        .selectFrom(elements(dialect, p.pulls))
        .innerJoin('repositories as r', (join) => join.on('r.name', '=', member('repository')))
        .select([
          'r.id as repository_id',
          member('digest').as('digest'),
          numberMember('count').as('count'),
          numberMember('lastAt').as('last_at'),
        ])
        .as('pulled'),
    )
    .set((eb) => ({
      pull_count: eb('manifests.pull_count', '+', eb.ref('pulled.count')),
      last_pulled_at: eb
        .case()
        .when('manifests.last_pulled_at', '>', eb.ref('pulled.last_at'))
        .then(eb.ref('manifests.last_pulled_at'))
        .else(eb.ref('pulled.last_at'))
        .end(),
    }))
    .whereRef('manifests.repository_id', '=', 'pulled.repository_id')
    .whereRef('manifests.digest', '=', 'pulled.digest'),
)

export function* recordPulls(pulls: readonly PullCount[]): Operation<void> {
  const merged = new Map<string, { repository: string; digest: string; count: number; lastAt: number }>()
  for (const { repository, digest, count, lastAt } of pulls) {
    // An update changes a row once, whatever the number of entries that match it.
    const key = `${repository}@${digest}`
    const known = merged.get(key)
    merged.set(key, {
      repository,
      digest,
      count: count + (known?.count ?? 0),
      lastAt: Math.max(lastAt, known?.lastAt ?? 0),
    })
  }
  if (merged.size > 0) yield* run(addPulls, { pulls: JSON.stringify([...merged.values()]) })
}
