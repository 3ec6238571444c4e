/**
 * What text, `console.log` and a REPL show of an object. Without it Node would print headers, and tokens in them. (The symbol is
 * how Node lets objects say so without an import.)
 */
export const inspected = (text: () => string): { toString(): string } => {
  const shown = { toString: text, [Symbol.for('nodejs.util.inspect.custom')]: text }
  return shown
}
