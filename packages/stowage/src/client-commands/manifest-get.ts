import { defineCommand } from '../command-line/define.ts'
import { flag, text } from '../command-line/option-kinds.ts'
import { openReference } from './open-image.ts'
import { parseJson } from './parse-json.ts'
import { platformOption } from './platform-option.ts'
import { checkResultPlace, writeResultFile } from './result-file.ts'

export const manifestGet = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'a manifest in a registry, a layout or an archive' },
  about: 'Prints a manifest, byte for byte, after checking that it has the digest it should have.',
  options: {
    output: text('-o, --output <file>', 'write it to this file (- is stdout)'),
    platform: platformOption,
    descriptor: flag('--descriptor', 'print its descriptor in its place'),
    pretty: flag('--pretty', 'indent it: for reading, the bytes are others then'),
  },
  sides: 'one',
  examples: [
    ['stowage manifest alpine', 'an index'],
    ['stowage manifest get --platform linux/arm64 alpine', 'the manifest of one image of it'],
    ['stowage manifest get ocidir:./images:v1 -o manifest.json', 'from a layout into a file'],
  ],
  async run({ args: [reference], options, connect, keep, output, call }) {
    const { output: file = '-', platform, descriptor: onlyDescriptor, pretty } = options
    if (file !== '-' && !onlyDescriptor) await checkResultPlace(file)
    const client = await connect(reference)
    const { descriptor, bytes, source } = await openReference(client, reference, platform, { keep, call })
    if (onlyDescriptor) return output.result(descriptor, JSON.stringify(descriptor))
    const toRead = (): unknown => parseJson(bytes, `The manifest of ${reference}`)
    const printed = pretty ? new TextEncoder().encode(`${JSON.stringify(toRead(), undefined, 2)}\n`) : bytes
    if (file !== '-') {
      await writeResultFile(file, [printed])
      return output.result({ file, ...descriptor }, `${source.name}@${descriptor.digest}`)
    }
    if (output.asText) return output.bytes([printed])
    await output.result({ reference: `${source.name}@${descriptor.digest}`, ...descriptor, content: toRead() }, '')
  },
})
