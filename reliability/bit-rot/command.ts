import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { program } from '../../bench/servers/stowage.ts'

export interface Said<T> {
  readonly code: number | null
  readonly report: T
}

/** Runs a command of stowage on a data directory, with `--json`. Rejects when it says no JSON. */
export const runCommand = async <T>(data: string, args: readonly string[], signal: AbortSignal): Promise<Said<T>> => {
  const child = spawn(process.execPath, [program, ...args, '--json', '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DISABLE_AUTHENTICATION: 'yes' },
    signal,
  })
  const [stdout, stderr, [code]] = (await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])) as [string, string, [number | null]]
  try {
    // Our own command wrote it.
    return { code, report: JSON.parse(stdout) as T }
  } catch (cause) {
    throw new Error(`stowage ${args.join(' ')} ended with ${code} and said ${stderr || stdout || 'nothing'}`, { cause })
  }
}

export interface Scrubbed {
  readonly corrupt: readonly { readonly digest: string; readonly kind: string; readonly problem: string }[]
  readonly healed: number
  readonly incomplete: boolean
}

/** One pass over everything, as fast as the disk gives it. */
export const scrubAll = async (data: string, signal: AbortSignal): Promise<Scrubbed> =>
  (await runCommand<Scrubbed>(data, ['scrub', '--from-start', '--rate', '0'], signal)).report

interface Diagnosis {
  readonly findings: readonly Readonly<Record<string, unknown>>[]
}

/** What the doctor calls a problem after he has read everything. */
export const problemsOf = async (data: string, signal: AbortSignal): Promise<string[]> => {
  const { report } = await runCommand<Diagnosis>(data, ['doctor', '--deep'], signal)
  return report.findings
    .filter(({ severity }) => severity === 'problem')
    .map((finding) => JSON.stringify(finding).slice(0, 300))
}
