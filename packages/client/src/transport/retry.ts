/** Answers that another try may change (RFC 9110 15.5.9, RFC 6585 4; 502 to 504 come from proxies that lost the server). */
const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

export const isPassing = (status: number): boolean => passing.has(status)

/** Milliseconds that `Retry-After` asks for: seconds, or an HTTP date (RFC 9110, 10.2.3). What is neither asks for nothing. */
export const parseRetryAfter = (header: string | null, now: number): number | undefined => {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Left alone, the parser makes a date of nearly everything: "soon 5" is in May.
  if (!/^[a-z]{3,9},? .*\d:\d\d:\d/i.test(text)) return undefined
  // One of the three forms of a date does not say that it is GMT, as all of them are.
  const date = Date.parse(/ GMT$/i.test(text) ? text : `${text} GMT`)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

const first = 250

/** Milliseconds before try number `attempt` (2 is the first repetition): doubling, and up to half of it by chance. */
export const backoff = (attempt: number, maxDelay: number): number => {
  const full = Math.min(first * 2 ** (attempt - 2), maxDelay)
  return full * (0.5 + Math.random() / 2)
}

/** Rejects with the signal's reason. */
export const pause = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
  signal.throwIfAborted()
  if (milliseconds <= 0) return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', give)
      resolve()
    }, milliseconds)
    const give = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', give, { once: true })
  })
}
