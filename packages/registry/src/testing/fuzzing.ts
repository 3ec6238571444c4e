import { errorCodes } from '@stowage/oci'

/** How many are sent. More of them find more: `STOWAGE_FUZZ=100000`, with another `STOWAGE_FUZZ_SEED`. */
export const volume = Number(process.env['STOWAGE_FUZZ'] ?? 5000)
export const firstSeed = Number(process.env['STOWAGE_FUZZ_SEED'] ?? 1)

/** Choices that are the same for the same seed. */
export const createDice = (seed: number) => {
  const next = (): number => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  return { next, below, pick, chance: (of: number): boolean => next() < of }
}
export type Dice = ReturnType<typeof createDice>

/** Whether a body is an error in the format of the specification, with one of its codes. */
export const isOciError = (text: string): boolean => {
  const { errors } = JSON.parse(text) as { errors?: { code?: string; message?: unknown }[] }
  return (
    Array.isArray(errors) &&
    errors.length > 0 &&
    errors.every(({ code, message }) => Object.hasOwn(errorCodes, code ?? '') && typeof message === 'string')
  )
}
