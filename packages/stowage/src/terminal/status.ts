import { styleText } from 'node:util'
import { escapeControls } from '../config/show.ts'
import type { TerminalOutput } from './terminal.ts'
import { printable } from './write.ts'

/** What is said on stderr: lines, and on a terminal some rows below them that are drawn anew as things go on. */
export interface Status extends Disposable {
  /** Whether rows can be drawn. */
  readonly draws: boolean
  /** Something that is good to know, on one line. Nothing when quiet. @param style of its first word */
  line(text: string, style?: Style): void
  /** Something that has to be known, on one line or several. */
  error(text: string): void
  /** What was asked for by `--debug`, on one line: not in colour, and however quiet it is. */
  trace(text: string): void
  /** What the rows are from now on. They are drawn soon, and not too often. None may be longer than `width`. */
  rows(make: Rows): void
  /** In colour where there are colours and nobody asked for none (`NO_COLOR`). */
  paint(style: Style, text: string): string
}

export type Style = Parameters<typeof styleText>[0]

export interface StatusOptions {
  readonly quiet: boolean
  /** Draw, if it is a terminal. */
  readonly tty: boolean
}

type Rows = (width: number) => readonly string[]
const noRows: Rows = () => []

/** Some terminals say that they have no columns, and mean that they do not know. */
const known = (size: number | undefined): number | undefined => (size === 0 ? undefined : size)

/** Milliseconds between two drawings. */
const pace = 100

export const createStatus = (stream: TerminalOutput, { quiet, tty }: StatusOptions): Status => {
  const draws = tty && !quiet && stream.isTTY === true
  let make = noRows
  let drawn = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  // Nobody may read what is said here: that stops nothing.
  stream.on('error', () => {})

  const erase = (): string => {
    const up = drawn === 0 ? '' : `\u001b[${drawn}A\r\u001b[J`
    drawn = 0
    return up
  }
  const draw = (): string => {
    if (!draws) return ''
    const width = Math.max(20, known(stream.columns) ?? 80) - 1
    // Rows above the top of the screen could not be erased again.
    const rows = make(width).slice(0, Math.max(1, (known(stream.rows) ?? 24) - 2))
    drawn = rows.length
    return rows.map((row) => `${row}\n`).join('')
  }
  const paint: Status['paint'] = (style, text) => styleText(style, text, { stream })
  const say = (text: string, style?: Style): void => {
    const safe = printable(text)
    const [, first = '', rest = ''] = /^(\S*)(.*)$/s.exec(safe) ?? []
    stream.write(`${erase()}${style === undefined ? safe : `${paint(style, first)}${rest}`}\n${draw()}`)
  }

  return {
    draws,
    paint,
    line: (text, style) => {
      if (!quiet) say(escapeControls(text), style)
    },
    error: (text) => say(text, 'red'),
    trace: (text) => say(escapeControls(text)),
    rows(next) {
      make = next
      if (!draws) return
      timer ??= setTimeout(() => {
        timer = undefined
        stream.write(erase() + draw())
      }, pace)
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      timer = undefined
      make = noRows
      const last = erase()
      if (last !== '') stream.write(last)
    },
  }
}
