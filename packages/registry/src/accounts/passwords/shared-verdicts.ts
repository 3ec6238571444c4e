import { createCredentialKey } from './credential-key.ts'

/**
 * Lets who sends the same credentials at the same time wait for one verdict. A client that begins with twenty requests has
 * not guessed twenty times, and need not be verified twenty times. Holds no password.
 */
export interface SharedVerdicts<Verdict> {
  /** @param parts All that the verdict depends on. Who differs in one of them gets a verdict of his own. */
  share(parts: readonly string[], verify: () => Promise<Verdict>): Promise<Verdict>
}

export const createSharedVerdicts = <Verdict>(): SharedVerdicts<Verdict> => {
  const keyOf = createCredentialKey()
  const underWay = new Map<string, Promise<Verdict>>()

  return {
    share: (parts, verify) => {
      const key = keyOf(...parts)
      const found = underWay.get(key)
      if (found !== undefined) return found
      const verdict = verify().finally(() => underWay.delete(key))
      underWay.set(key, verdict)
      return verdict
    },
  }
}
