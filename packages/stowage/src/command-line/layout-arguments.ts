import { bothSidesOptions, fromOptions, toOptions } from './common-options.ts'
import type { ClientCommand } from './define.ts'
import type { Parsed } from './parse.ts'

/** With `--oci-layout`, as oras has it, a reference is the path of a layout: `./images:v1` is `ocidir:./images:v1`. */
export const withLayouts = (
  { sides, references = sides === 'two' ? [0, 1] : [0] }: Pick<ClientCommand, 'sides' | 'references'>,
  parsed: Parsed,
): readonly unknown[] => {
  const all = parsed.read(bothSidesOptions).ociLayout
  const [from, to] = [parsed.read(fromOptions).ociLayout, parsed.read(toOptions).ociLayout]
  const meant = (index: number): boolean => {
    const place = references.indexOf(index)
    if (place === -1) return false
    return all || (sides === 'two' && (place === 0 ? from : to))
  }
  return parsed.args.map((argument, index) =>
    typeof argument === 'string' && meant(index) && !/^(?:ocidir|oci):/.test(argument)
      ? `ocidir:${argument}`
      : argument,
  )
}
