import { escapeControls, show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import type { Status } from './status.ts'
import { parseTemplate, type Template } from './template.ts'
import type { TerminalOutput } from './terminal.ts'
import { createWrite, printable } from './write.ts'

/** Results on stdout, and everything else on stderr. */
export interface Output extends Pick<Status, 'line' | 'error'> {
  /** Whether results are wanted as text, and not as JSON or by a template. */
  readonly asText: boolean
  /** A result: `text` is what a person reads, `value` what a program gets. */
  result(value: unknown, text: string): Promise<void>
  /** A list, as it comes, each item on a line of its own. `value` makes of all its items what a program gets. */
  list<T>(
    items: AsyncIterable<T> | Iterable<T>,
    as: { readonly text: (item: T) => string; readonly value: (items: readonly T[]) => unknown },
  ): Promise<void>
  /** Bytes as they are. A terminal gets text only, without what it would obey. */
  bytes(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean
}

export interface OutputOptions {
  /** `text`, `json`, or a template. */
  readonly format: string
  /** The command's own words, for the message about a wrong one. */
  readonly formats?: readonly string[]
  readonly status: Status
}

/** Characters that are written at once. */
const batch = 16 * 1024

/** @throws {StowageError} `usage` for a template that is not understood */
export const createOutput = (stdout: TerminalOutput, { format, formats = [], status }: OutputOptions): Output => {
  const render = toRender(format, formats)
  const write = createWrite(stdout)
  return {
    asText: render === undefined,
    isTerminal: stdout.isTTY === true,
    line: status.line,
    error: status.error,
    async result(value, text) {
      const printed = render === undefined ? text : render(value)
      if (printed !== '') await write(endLine(printable(printed)))
    },
    async list(items, { text, value }) {
      if (render !== undefined) {
        const all = []
        for await (const item of items) all.push(item)
        await write(endLine(printable(render(value(all)))))
        return
      }
      let lines = ''
      for await (const item of items) {
        lines += `${escapeControls(text(item))}\n`
        if (lines.length < batch && stdout.isTTY !== true) continue
        await write(lines)
        lines = ''
      }
      if (lines !== '') await write(lines)
    },
    async bytes(chunks) {
      const decoder = new TextDecoder()
      for await (const chunk of chunks) {
        await write(stdout.isTTY === true ? printable(decoder.decode(chunk, { stream: true })) : chunk)
      }
      // The beginning of a character that never came.
      if (stdout.isTTY === true) await write(printable(decoder.decode()))
    },
  }
}

const toRender = (format: string, formats: readonly string[]): Template | undefined => {
  if (format === 'text') return undefined
  if (format === 'json') return (value) => JSON.stringify(value, undefined, 2)
  const template = format.replace(/^go-template=/, '')
  if (template.includes('{{')) return parseTemplate(template)
  const own = formats.map((word) => `${word}, `).join('')
  throw new StowageError(
    'usage',
    `--format must be ${own}text, json or a template such as {{.Digest}}, not ${show(format)}.`,
  )
}

const endLine = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)
