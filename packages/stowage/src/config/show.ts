/** A value as an error message may repeat it: short, on one line, and without a character that moves a terminal's cursor. */
export const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return escapeControls(text.length > 60 ? `${text.slice(0, 57)}...` : text)
}

/**
 * What JSON leaves as it is and a terminal would obey or hide: DEL and the C1 controls, line and paragraph separators, and
 * the marks that turn the direction of writing.
 */
export const escapeControls = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- finding them is the purpose
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
