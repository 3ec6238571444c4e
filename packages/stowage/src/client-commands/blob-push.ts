import { defaultHash, toContent } from '@stowage/client'
import { createDigester, digestAlgorithm, isDigest } from '@stowage/oci'
import { defineCommand } from '../command-line/define.ts'
import { flag, text } from '../command-line/option-kinds.ts'
import { locationOf } from '../command-line/places.ts'
import { StowageError } from '../failure.ts'
import { openInput } from './input-file.ts'

export const blobPush = defineCommand({
  usage: '<repository> [file]',
  arguments: { repository: 'where to; with @digest it must have that', file: 'the bytes; - or nothing is stdin' },
  about: 'Pushes a blob, unless it is there already.',
  options: {
    mediaType: text('--media-type <type>', 'for its descriptor: a registry does not keep it'),
    descriptor: flag('--descriptor', 'print its descriptor, for a manifest'),
  },
  sides: 'one',
  resume: 'Run the same command again. A blob that was sent whole is not sent again.',
  examples: [
    ['stowage blob push localhost:5000/app layer.tar.gz', 'localhost:5000/app@sha256:…'],
    ['tar cz . | stowage blob push localhost:5000/app -', 'from stdin'],
  ],
  async run({ args: [repository, file = '-'], options, connect, keep, output, progress, call, terminal }) {
    const { mediaType = 'application/octet-stream', descriptor: asDescriptor } = options
    const { reference } = locationOf(repository)
    const wanted = reference !== undefined && isDigest(reference) ? reference : undefined
    const client = await connect(repository)
    await using input = await openInput(file, terminal.stdin, call.signal)
    const content = toContent(input.content)
    const digester = createDigester(defaultHash, wanted === undefined ? 'sha256' : digestAlgorithm(wanted))
    let size = 0
    for await (const chunk of content.open(call)) {
      digester.update(chunk)
      size += chunk.byteLength
    }
    const digest = digester.digest()
    if (wanted !== undefined && wanted !== digest) {
      throw new StowageError('digest-mismatch', `${repository}: ${file} has the digest ${digest}.`)
    }
    const { target } = await client.target(repository)
    keep(target)
    const descriptor = { mediaType, digest, size }
    progress.begin(digest, size)
    const outcome = await target.putBlob(descriptor, content, {
      ...call,
      onProgress: (sent) => progress.move(digest, sent),
    })
    await target.finish(call)
    progress.done(digest, outcome)
    const full = `${target.name}@${digest}`
    await output.result({ reference: full, ...descriptor, outcome }, asDescriptor ? JSON.stringify(descriptor) : full)
  },
})
