import { addAbortSignal } from 'node:stream'
import { decodeText } from '../config/decode-text.ts'
import { StowageError } from '../failure.ts'
import type { Terminal, TerminalInput } from '../terminal/terminal.ts'
import type { PasswordPrompt } from './credentials.ts'

export interface Prompt extends PasswordPrompt {
  /** Whether there is somebody to ask. */
  readonly interactive: boolean
  askName(question: string): Promise<string>
  /** No is what a mere Enter says. */
  confirm(question: string): Promise<boolean>
}

/** More is no password. */
const limit = 64 * 1024

/** Asks on stderr, so that stdout has results only. */
export const createPrompt = ({ stdin, stderr }: Terminal, options: { tty: boolean; signal: AbortSignal }): Prompt => {
  const interactive = options.tty && stdin.isTTY === true && stderr.isTTY === true
  const common = { input: stdin, output: stderr, signal: options.signal }
  let secret: Promise<string> | undefined
  const requirePerson = (hint: string): void => {
    if (!interactive) throw new StowageError('usage', `There is nobody to ask: stdin is no terminal. ${hint}`)
  }
  return {
    interactive,
    async ask(question) {
      requirePerson('Use --password-stdin.')
      const { password } = await import('@clack/prompts')
      return answered<string>(await password({ ...common, message: question }))
    },
    async askName(question) {
      requirePerson('Use --username and --password-stdin.')
      const { text } = await import('@clack/prompts')
      return answered<string>(await text({ ...common, message: question }))
    },
    async confirm(question) {
      requirePerson('Use --yes.')
      const { confirm } = await import('@clack/prompts')
      return answered<boolean>(await confirm({ ...common, message: question, initialValue: false }))
    },
    // It can be read once, and two clients may want the password.
    readStdin: async () => (secret ??= readSecret(stdin, options.signal)),
  }
}

const readSecret = async (stdin: TerminalInput, signal: AbortSignal): Promise<string> => {
  if (stdin.isTTY === true) throw new StowageError('usage', 'stdin is a terminal: pipe the password into it.')
  const parts: Buffer[] = []
  let size = 0
  for await (const part of addAbortSignal(signal, stdin)) {
    const bytes = Buffer.from(part as Uint8Array)
    size += bytes.byteLength
    if (size > limit) throw new StowageError('usage', `stdin has more than ${limit} bytes: that is no password.`)
    parts.push(bytes)
  }
  const text = decodeText(Buffer.concat(parts))
  if (text === undefined) throw new StowageError('usage', 'stdin is not text in UTF-8: that is no password.')
  return text.replace(/\r?\n$/, '')
}

/** Ctrl-C at a question, and Escape, are answers that are not text. */
const answered = <T extends string | boolean>(answer: T | symbol): T => {
  if (typeof answer === 'symbol') throw new StowageError('interrupted', 'Stopped.')
  return answer
}
