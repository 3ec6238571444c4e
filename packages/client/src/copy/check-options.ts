import { isTag, type Platform } from '@stowage/oci'
import { ClientError } from '../errors.ts'
import { parsePlatform } from '../platform.ts'
import type { CopyOptions, CopyTarget } from './options.ts'

const kinds: Readonly<Record<keyof CopyOptions, 'list' | 'boolean' | 'number' | 'object' | 'function' | 'index'>> = {
  platforms: 'list',
  index: 'index',
  referrers: 'boolean',
  digestTags: 'boolean',
  concurrency: 'number',
  force: 'boolean',
  absent: 'boolean',
  knowledge: 'object',
  hash: 'function',
  signal: 'object',
}

/** Copy options as the parts of a copy use them. */
export interface CheckedCopyOptions extends CopyOptions {
  readonly platforms?: readonly Platform[]
}

/** @throws {ClientError} `usage`, naming every option that is unknown or out of range */
export const checkCopyOptions = ({ platforms, ...options }: CopyOptions): CheckedCopyOptions => {
  const problems = Object.entries(options).flatMap(([key, value]: [string, unknown]) => {
    if (!Object.hasOwn(kinds, key)) return [`${key} is not an option; there are ${Object.keys(kinds).join(', ')}`]
    return value === undefined ? [] : problemOf(key as keyof CopyOptions, value)
  })
  if (problems.length > 0) throw new ClientError('usage', `The copy cannot be made: ${problems.join('; ')}.`)
  return platforms === undefined ? options : { ...options, platforms: toPlatforms(platforms) }
}

const problemOf = (key: keyof CopyOptions, value: unknown): readonly string[] => {
  const kind = kinds[key]
  if (kind === 'index') return value === 'rewrite' || value === 'sparse' ? [] : [`${key} must be "rewrite" or "sparse"`]
  if (key === 'concurrency') {
    const isRight = Number.isSafeInteger(value) && (value as number) >= 1
    return isRight ? [] : [`${key} must be a whole number of 1 or more, and is ${String(value)}`]
  }
  return typeof value === kind && value !== null ? [] : [`${key} must be ${kind === 'object' ? 'an' : 'a'} ${kind}`]
}

/** Platforms, whether written or not. @throws {ClientError} `usage` */
export const toPlatforms = (platforms: CopyOptions['platforms'] = []): readonly Platform[] => {
  if (!Array.isArray(platforms)) throw new ClientError('usage', 'platforms must be a list, as ["linux/arm64"].')
  return (platforms as readonly (Platform | string)[]).map((platform) => {
    if (typeof platform === 'string') return parsePlatform(platform)
    const { os, architecture } = (platform ?? {}) as Partial<Platform>
    if (typeof os === 'string' && typeof architecture === 'string') return platform
    throw new ClientError('usage', 'Each of platforms must be text, as "linux/arm64", or have os and architecture.')
  })
}

/** What a registry takes as a name. Layouts and archives have rules of their own. @throws {ClientError} `usage` */
export const checkTags = ({ target, tags = [] }: CopyTarget): void => {
  const wrong = tags.find((tag) => typeof tag !== 'string' || (target.repository !== undefined && !isTag(tag)))
  if (wrong === undefined) return
  throw new ClientError('usage', `${JSON.stringify(wrong)} is not a tag.`, {
    subject: target.name,
    hint: 'A tag has letters, digits, underscores, periods and dashes, begins with none of the last two, and has 128 characters at most.',
  })
}
