import { randomInt } from 'node:crypto'

const characters = 'abcdefghijklmnopqrstuvwxyz0123456789'

const length = 16

/** A name that nobody else makes: 16 lower-case letters and digits, so that it can be an argument of a command as it is. */
export const randomId = (): string => Array.from({ length }, () => characters[randomInt(characters.length)]).join('')

export const isRandomId = (text: string): boolean => /^[a-z0-9]{16}$/.test(text)
