import { defineCommand } from '../command-line/define.ts'
import { findBlob } from './find-blob.ts'

export const blobHead = defineCommand({
  usage: '<blob>',
  arguments: { blob: 'repository@digest, in a registry, a layout or an archive' },
  about: 'Prints what is known of a blob without reading it: its digest, its size, and what type it is served as.',
  sides: 'one',
  examples: [
    ['stowage blob head alpine@sha256:…', '{"mediaType":"…","digest":"sha256:…","size":…}'],
    ["stowage blob head alpine@sha256:… --format '{{.Size}}'", 'its bytes'],
  ],
  async run({ args: [blob], connect, keep, output, call }) {
    const { source, descriptor } = await findBlob(await connect(blob), blob, call)
    keep(source)
    const { mediaType, digest, size } = descriptor
    await output.result({ mediaType, digest, size }, JSON.stringify({ mediaType, digest, size }))
  },
})
