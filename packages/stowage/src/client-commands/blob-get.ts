import { defineCommand } from '../command-line/define.ts'
import { flag, text } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { downloadBlob } from './download-blob.ts'
import { findBlob } from './find-blob.ts'
import { checkResultPlace } from './result-file.ts'

export const blobGet = defineCommand({
  usage: '<blob>',
  arguments: { blob: 'repository@digest, in a registry, a layout or an archive' },
  about:
    'Reads a blob, and checks that it has the digest it should have. Into a file it is read so that a later run goes on ' +
    'where an earlier one ended: what there is waits beside the file in one that ends in .part.',
  options: {
    output: text('-o, --output <file>', 'write it to this file (- is stdout)'),
    descriptor: flag('--descriptor', 'print its descriptor in its place'),
  },
  sides: 'one',
  resume: 'Run the same command again: with --output it goes on where it was.',
  examples: [
    ['stowage blob alpine@sha256:… -o layer.tar.gz', 'into a file'],
    ['stowage blob get ocidir:./images@sha256:… | tar tz', 'to another program'],
  ],
  async run({
    args: [blob],
    options: { output: file, descriptor: onlyDescriptor },
    connect,
    keep,
    output,
    progress,
    call,
  }) {
    if (file !== undefined && file !== '-' && !onlyDescriptor) await checkResultPlace(file)
    const found = await findBlob(await connect(blob), blob, call)
    const { source, descriptor } = found
    keep(source)
    if (onlyDescriptor) return output.result(descriptor, JSON.stringify(descriptor))
    const { digest, size } = descriptor
    const full = `${source.name}@${digest}`
    if (file !== undefined && file !== '-') {
      progress.begin(digest, size)
      const { resumed } = await downloadBlob(found, file, { call, onProgress: (bytes) => progress.move(digest, bytes) })
      progress.done(digest, resumed > 0 ? 'resumed' : 'read')
      return output.result({ reference: full, file, digest, size, resumed }, full)
    }
    if (file === undefined && output.isTerminal) {
      throw new StowageError(
        'usage',
        'A blob is no text for a terminal. Use --output FILE, or --output - if it is one.',
      )
    }
    // Whoever reads a pipe has had bytes before the last were checked: the exit code says whether they were right.
    await output.bytes(source.getBlob(descriptor, call))
  },
})
