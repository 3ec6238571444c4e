import { printable } from './printable.ts'

/** Something a registry wants people to read. */
export interface RegistryWarning {
  readonly registry: string
  readonly text: string
}

/** Headers come with a character for each byte; what people write in them is UTF-8, or nothing but ASCII. */
const decoded = (text: string): string => {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return text
  }
}

/**
 * The texts of warnings of the form `299 - "text"`, the one that the distribution-spec has for them ("Warnings"). Others are not
 * for people, and are left out.
 */
export const parseWarnings = (header: string | null): string[] => {
  if (header === null || header.length > 16 * 1024) return []
  const texts = header.matchAll(/299 +- +"((?:[^"\\]|\\.)*)"/g)
  return [...texts].map(([, text = '']) => printable(decoded(text.replaceAll(/\\(.)/g, '$1'))))
}
