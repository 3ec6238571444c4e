import type { Behaviour } from './call.ts'
import { changing, type Header } from './reply.ts'

/** A line of `Warning` for each text: `299 - "text"`. */
export const warn = (...texts: readonly string[]): Behaviour =>
  changing((answer) => ({
    ...answer,
    headers: [
      ...answer.headers,
      ...texts.map((text): Header => [
        'warning',
        `299 - "${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`,
      ]),
    ],
  }))
