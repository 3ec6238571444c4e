const bytes = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const

const units = new Map(Object.entries(bytes).map(([unit, factor]) => [unit.toLowerCase(), factor]))

/** `4MiB`, `10 GB`, `512kib`, or a bare number of bytes. @returns bytes, undefined when it is no size. */
export const parseSize = (text: string): number | undefined => {
  const match = /^(\d{1,16}(?:\.\d{1,3})?)\s*([a-z]+)?$/i.exec(text.trim())
  if (match === null) return undefined
  const [, amount, unit = 'B'] = match
  const factor = units.get(unit.toLowerCase())
  const size = factor === undefined ? Number.NaN : Number(amount) * factor
  return Number.isSafeInteger(size) ? size : undefined
}

/** The shortest exact form in binary units. */
export const formatSize = (value: number): string => {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB'] as const) {
    if (value > 0 && value % bytes[unit] === 0) return `${value / bytes[unit]}${unit}`
  }
  return String(value)
}
