import { defineCommand } from '../command-line/define.ts'
import { flag } from '../command-line/option-kinds.ts'
import { openImage, readConfig } from './open-image.ts'
import { parseJson } from './parse-json.ts'
import { platformOption } from './platform-option.ts'

export const config = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'an image in a registry, a layout or an archive' },
  about: 'Prints the config of an image, byte for byte: what it runs, its labels, its history.',
  options: { platform: platformOption, pretty: flag('--pretty', 'indent it: for reading, the bytes are others then') },
  sides: 'one',
  examples: [
    ['stowage config alpine', 'for the platform of this machine'],
    ['stowage config --platform linux/arm64 alpine --pretty', 'for another one, indented'],
    ["stowage config alpine --format '{{json .config.Env}}'", 'a part of it'],
  ],
  async run({ args: [reference], options: { platform, pretty }, connect, keep, output, call }) {
    const client = await connect(reference)
    const image = await openImage(client, reference, platform, { keep, call })
    const bytes = await readConfig(image, call)
    if (output.asText && !pretty) return output.bytes([bytes])
    const value = parseJson(bytes, `The config of ${reference}`)
    await output.result(value, JSON.stringify(value, undefined, 2))
  },
})
