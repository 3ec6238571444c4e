const seconds = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const

/** `30s`, `10m`, `1.5h`, `250ms`, `7d`, or a bare number of seconds. @returns seconds, undefined when it is no duration. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d{1,12}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)?$/.exec(text.trim())
  if (match === null) return undefined
  const [, amount, unit = 's'] = match
  // Whole milliseconds: 0.1 × 3 must not become 0.30000000000000004.
  return Math.round(Number(amount) * seconds[unit as keyof typeof seconds] * 1000) / 1000
}

/** The shortest form that `parseDuration` reads back as the same number of seconds. */
export const formatDuration = (value: number): string => {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (value > 0 && value % seconds[unit] === 0) return `${value / seconds[unit]}${unit}`
  }
  return value === 0 ? '0s' : `${Math.round(value * 1000)}ms`
}
