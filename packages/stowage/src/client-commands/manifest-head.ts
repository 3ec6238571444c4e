import { defineCommand } from '../command-line/define.ts'

export const manifestHead = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'a manifest in a registry, a layout or an archive' },
  about: 'Prints the descriptor of a manifest without reading it: its digest, size and media type.',
  sides: 'one',
  examples: [
    ['stowage manifest head alpine', '{"mediaType":"…","digest":"sha256:…","size":…}'],
    ["stowage manifest head alpine --format '{{.Digest}}'", 'sha256:…'],
  ],
  async run({ args: [reference], connect, output, call }) {
    const client = await connect(reference)
    const descriptor = await client.resolve(reference, call)
    await output.result(descriptor, JSON.stringify(descriptor))
  },
})
