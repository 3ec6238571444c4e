import { defineCommand } from '../command-line/define.ts'
import { flag } from '../command-line/option-kinds.ts'
import { openReference } from './open-image.ts'
import { platformOption } from './platform-option.ts'

export const digest = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'an image in a registry, a layout or an archive' },
  about: 'Prints the digest that a reference names, without reading what it is of.',
  options: {
    fullRef: flag('-l, --full-ref', 'print the whole reference, by digest', { also: ['--full-reference'] }),
    platform: platformOption,
  },
  sides: 'one',
  examples: [
    ['stowage digest alpine:3.20', 'sha256:…'],
    ['stowage digest --full-ref ghcr.io/acme/app', 'ghcr.io/acme/app@sha256:…'],
    ['stowage digest --platform linux/arm64 alpine', 'of the image for one platform'],
    ['stowage digest oci-archive:app.tar:v1', 'of what an archive has'],
  ],
  async run({ args: [reference], options: { fullRef, platform }, connect, keep, output, call }) {
    const client = await connect(reference)
    const { source, reference: name } = await client.source(reference)
    keep(source)
    const descriptor =
      platform === undefined
        ? await source.resolve(name, call)
        : (await openReference(client, reference, platform, { keep, call })).descriptor
    const full = `${source.name}@${descriptor.digest}`
    await output.result({ reference: full, ...descriptor }, fullRef ? full : descriptor.digest)
  },
})
