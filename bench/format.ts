import type { Unit } from './result.ts'

const mebibyte = 1024 * 1024

const show: Readonly<Record<Unit, (value: number) => string>> = {
  'requests/s': (value) => `${grouped(value)}/s`,
  'images/s': (value) => `${grouped(value)}/s`,
  'bytes/s': (value) => `${(value / 1e9).toFixed(2)} GB/s`,
  ms: (value) => `${significant(value)} ms`,
  bytes: (value) => `${significant(value / mebibyte)} MiB`,
}

/** A measured amount for people, in the unit of its row. Rates of bytes are in GB (10^9), as disks and networks are. */
export function formatAmount(value: number, unit: Unit): string {
  return show[unit](value)
}

/** `20 ×`, `1.52 ×`, `0.35 ×`: three significant digits at most, none behind the point from 100 on. */
export function formatRatio(value: number): string {
  return `${significant(value)} ×`
}

function significant(value: number): string {
  if (Math.abs(value) >= 100) return grouped(value)
  return Number(value.toPrecision(3)).toString()
}

/** Thousands apart by a narrow space; below 100 with as many digits as say something. */
function grouped(value: number): string {
  if (Math.abs(value) < 100) return Number(value.toPrecision(3)).toString()
  return Math.round(value)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, '\u202F')
}
