import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Guesses {
  readonly url: string
  readonly count: number
  /** Guesses a second. */
  readonly rate: number
}

/** How the guesses were answered, by status. */
export type Verdicts = Readonly<Record<number, number>>

const program = fileURLToPath(new URL('password-guesser-program.ts', import.meta.url))

/** Has wrong passwords sent by a process of its own: in this one it would delay the pulls that are measured. */
export async function guessPasswords({ url, count, rate }: Guesses): Promise<Verdicts> {
  const child = spawn(process.execPath, [program, url, String(count), String(rate)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = await text(child.stdout)
  return JSON.parse(output) as Verdicts
}
