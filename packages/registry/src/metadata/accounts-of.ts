import type { AccountStore } from './account-store.ts'
import type { Operation } from './operation.ts'
import { listIssuers } from './operations/accounts/issuers.ts'
import { listRules } from './operations/accounts/rules.ts'
import { listSigningKeys } from './operations/accounts/signing-keys.ts'
import { findToken, listTokens } from './operations/accounts/tokens.ts'
import { findUser, listUsers } from './operations/accounts/users.ts'
import { accessVersion } from './operations/accounts/version.ts'
import type { WriteArguments, WriteName, WriteResult } from './operations/writes.ts'

/** How a store runs an operation that writes. */
export type Write = <Name extends WriteName>(name: Name, ...args: WriteArguments<Name>) => Promise<WriteResult<Name>>

/** How it runs one that reads. */
export type Read = <Result>(operation: Operation<Result>) => Promise<Result>

/** How many tokens that have ended one transaction removes. */
const atOnce = 500

/** The accounts of a store that runs operations. */
export const accountsOf = (write: Write, read: Read): AccountStore => ({
  accessVersion: () => read(accessVersion()),

  findUser: (name) => read(findUser(name)),
  listUsers: (page) => read(listUsers(page)),
  addUser: (user, onlyFirst) => write('addUser', user, onlyFirst),
  changeUser: (name, change) => write('changeUser', name, change),
  removeUser: (name) => write('removeUser', name),

  addToken: (token) => write('addToken', token),
  findToken: (id) => read(findToken(id)),
  listTokens: (page) => read(listTokens(page)),
  removeToken: (id) => write('removeToken', id),
  touchTokens: (uses) => write('touchTokens', uses),
  removeExpiredTokens: async (before) => {
    let removed = 0
    for (;;) {
      // One after the other, so that other writes get their turn in between.
      const ofThese = await write('removeExpiredTokens', before, atOnce)
      removed += ofThese
      if (ofThese < atOnce) return removed
    }
  },

  listRules: () => read(listRules()),
  addRule: (rule) => write('addRule', rule),
  removeRule: (id) => write('removeRule', id),

  listIssuers: () => read(listIssuers()),
  addIssuer: (issuer) => write('addIssuer', issuer),
  removeIssuer: (name) => write('removeIssuer', name),

  listSigningKeys: () => read(listSigningKeys()),
  addSigningKey: (key, ifNewestIs) => write('addSigningKey', key, ifNewestIs),
  removeSigningKey: (id) => write('removeSigningKey', id),
})
