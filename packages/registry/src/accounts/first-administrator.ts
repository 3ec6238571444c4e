import { randomUUID } from 'node:crypto'
import type { Logger } from '../logger.ts'
import type { AccountStore } from '../metadata/account-store.ts'
import type { AccountOptions } from './account-options.ts'
import { checkPassword, checkUserName } from './checks.ts'
import type { Passwords } from './passwords/hash-queue.ts'

/**
 * Makes the first administrator where there is no user at all: a registry that has users is theirs, whatever the environment
 * of a later start says. Of many processes that start at once, one makes it.
 */
export const addFirstAdministrator = async (
  store: AccountStore,
  passwords: Passwords,
  first: AccountOptions['firstAdministrator'],
  now: () => number,
  logger: Logger,
): Promise<void> => {
  if (first === undefined) return
  const name = checkUserName(first.name, 'firstAdministrator.name')
  const password = checkPassword(first.password)
  // Looked at first: to hash a password for nothing would cost every start.
  if ((await store.listUsers({ limit: 1 })).length > 0) return
  const at = now()
  const added = await store.addUser(
    {
      id: randomUUID(),
      name,
      passwordHash: await passwords.hash(password),
      administrator: true,
      groups: [],
      createdAt: at,
      passwordChangedAt: at,
    },
    true,
  )
  if (added === 'added') logger.info({ user: name }, 'the first administrator was added')
}
