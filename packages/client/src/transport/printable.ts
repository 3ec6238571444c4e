/** A registry's words end up on terminals: without control characters, and no novel. */
export const printable = (text: string): string => {
  // oxlint-disable-next-line no-control-regex -- they are what it is about
  const clean = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean
}
