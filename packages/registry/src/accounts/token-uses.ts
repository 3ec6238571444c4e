import type { AccountStore } from '../metadata/account-store.ts'

export interface TokenUses {
  used(id: string): void
  flush(): Promise<void>
}

/** When tokens were last used, gathered in memory: a transaction for each request would cost more than the request. */
export const createTokenUses = (store: AccountStore, now: () => number): TokenUses => {
  let uses = new Map<string, number>()
  return {
    used: (id) => void uses.set(id, now()),
    flush: async () => {
      if (uses.size === 0) return
      const mine = uses
      uses = new Map()
      await store.touchTokens([...mine].map(([id, at]) => ({ id, at })))
    },
  }
}
