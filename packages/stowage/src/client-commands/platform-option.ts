import { text } from '../command-line/option-kinds.ts'

/** As every command spells it. */
export const platformOption = text('--platform <platform>', 'of an index, what is for os/arch[/variant][:os-version]')
