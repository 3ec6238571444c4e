import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import type { Logger } from '@stowage/registry'
import { createLogger } from '../log/create-logger.ts'

/** Secrets that are nowhere else in the world, and where they were put. */
export const createCanaries = () => {
  const canaries = new Map<string, string>()
  /** @returns a secret that is called so in what is found. */
  const make = (where: string): string => {
    const secret = `canary-${randomBytes(12).toString('hex')}`
    canaries.set(where, secret)
    return secret
  }
  const add = (where: string, secret: string): string => {
    canaries.set(where, secret)
    return secret
  }
  /** Names of those that `text` contains, as they are or in one of the spellings that secrets have on their way. */
  const within = (text: string): string[] =>
    [...canaries].filter(([, secret]) => spellings(secret).some((each) => text.includes(each))).map(([where]) => where)
  return { make, add, within }
}

/** Base64 spells a text in three ways, by where it begins in what is encoded; their ends depend on the neighbours. */
const spellings = (secret: string): string[] => [
  secret,
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
  ...[0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.from(`${'x'.repeat(shift)}${secret}`).toString('base64')
    const inner = encoded.slice(shift === 0 ? 0 : 4, -4)
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')]
  }),
]

/** Everything that is given to a logger: raw, and as it is written. */
export const createCapture = () => {
  const calls: string[] = []
  const lines: string[] = []
  const pretty: string[] = []
  const written = createLogger({ level: 'debug', pretty: false, write: (line) => void lines.push(line) })
  const forPeople = createLogger({ level: 'debug', pretty: true, write: (line) => void pretty.push(line) })
  const levels = ['debug', 'info', 'warn', 'error'] as const
  const logger = Object.fromEntries(
    levels.map((level) => [
      level,
      (facts: object, message: string) => {
        calls.push(
          `${level} ${message} ${inspect(facts, { depth: Infinity, showHidden: true, maxStringLength: null })}`,
        )
        written[level](facts, message)
        forPeople[level](facts, message)
      },
    ]),
  ) as unknown as Logger
  return { logger, calls, lines, pretty }
}
