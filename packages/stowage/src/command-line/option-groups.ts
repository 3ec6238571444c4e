import {
  bothSidesOptions,
  fromOptions,
  networkOptions,
  outputOptions,
  registryOptions,
  serverOptions,
  toOptions,
} from './common-options.ts'
import type { ClientCommand } from './define.ts'
import type { OptionSpecs } from './option-kinds.ts'

/** Options that stand together in help. */
export interface OptionGroup {
  readonly heading: string
  readonly specs: OptionSpecs
}

/** All options of a command: its own, and those that come by themselves. */
export const optionGroups = ({ options, sides }: Pick<ClientCommand, 'options' | 'sides'>): readonly OptionGroup[] => [
  { heading: 'Options:', specs: options },
  { heading: 'Output:', specs: outputOptions },
  ...sideGroups[sides],
]

const sideGroups: Readonly<Record<ClientCommand['sides'], readonly OptionGroup[]>> = {
  none: [],
  server: [{ heading: 'Registry of your own:', specs: serverOptions }],
  one: [{ heading: 'Registry:', specs: { ...registryOptions, ...networkOptions } }],
  two: [
    { heading: 'Registries, both:', specs: { ...bothSidesOptions, ...networkOptions } },
    { heading: 'Registry that is read from:', specs: fromOptions },
    { heading: 'Registry that is written to:', specs: toOptions },
  ],
}
