import type { Queryable } from './drive.ts'

/** What the server must not be set to, and why. */
const refused: Readonly<Record<string, { readonly value: string; readonly because: string }>> = {
  fsync: { value: 'off', because: 'a crash of its machine would corrupt the database' },
  full_page_writes: { value: 'off', because: 'a crash of its machine could corrupt the database' },
  synchronous_commit: { value: 'off', because: 'a push that was acknowledged could be lost' },
}

const oldest = 130_000

/** Rejects when the server, as this connection sees it, cannot keep the port's promises. */
export const checkServer = async (on: Queryable): Promise<void> => {
  const { rows } = await on.query<{ name: string; setting: string }>(
    'select name, setting from pg_settings where name = any($1)',
    [[...Object.keys(refused), 'server_encoding', 'server_version_num']],
  )
  const settings = new Map(rows.map((row) => [row.name, row.setting]))
  for (const [name, { value, because }] of Object.entries(refused)) {
    if (settings.get(name) === value) {
      throw new Error(`PostgreSQL runs with ${name} = ${value}: ${because}. Set it to on, for the server or the role.`)
    }
  }
  if (settings.get('server_encoding') !== 'UTF8') {
    throw new Error(`The database has the encoding ${settings.get('server_encoding')}. Create it with encoding UTF8.`)
  }
  if (Number(settings.get('server_version_num')) < oldest) {
    throw new Error('PostgreSQL is too old: Stowage needs version 13 or newer.')
  }
}
