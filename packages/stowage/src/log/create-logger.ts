import type { Logger } from '@stowage/registry'
import { destination, pino, stdTimeFunctions } from 'pino'
import { escapeControls } from '../config/show.ts'
import type { Settings } from '../config/settings.ts'
import { pretty } from './pretty.ts'
import { redact, redactText } from './redact.ts'

export interface LoggerOptions {
  readonly level: Settings['log.level']
  /** Lines for people instead of JSON. */
  readonly pretty: boolean
  /** Takes whole lines. Default: standard error, written at once, so that the last words of a process are not lost. */
  readonly write?: (line: string) => void
}

/** The log: one JSON object a line, without secrets, and no character in it that a terminal would obey. */
export const createLogger = ({ level, pretty: forPeople, write = toStandardError() }: LoggerOptions): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      // Errors are made plain by `redact` already.
      serializers: { err: (err: unknown) => err },
      formatters: {
        level: (label) => ({ level: label }),
        log: (facts) => redact(facts) as Record<string, unknown>,
      },
      hooks: {
        logMethod(args, method) {
          const [facts, message, ...more] = args as [unknown, unknown, ...unknown[]]
          const clean = [facts, message].map((part) => (typeof part === 'string' ? redactText(part) : part))
          method.apply(this, [...clean, ...more] as Parameters<typeof method>)
        },
      },
    },
    { write: (line: string) => write(forPeople ? pretty(line) : `${escapeControls(line.trimEnd())}\n`) },
  )

const toStandardError = (): ((line: string) => void) => {
  const out = destination({ fd: 2, sync: true })
  // A reader that went away (`stowage serve 2>&1 | head`) must not take the registry with it.
  out.on('error', () => {})
  return (line) => void out.write(line)
}
