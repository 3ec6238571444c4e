// oxlint-disable-next-line no-control-regex -- they are what it is about
const controls = /[\u0000-\u001f\u007f-\u009f]+/g

/** A registry's words end up on terminals: without control characters. */
export const withoutControls = (text: string): string => text.replaceAll(controls, ' ')

/** And no novel. */
export const printable = (text: string): string => {
  const clean = withoutControls(text)
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean
}
