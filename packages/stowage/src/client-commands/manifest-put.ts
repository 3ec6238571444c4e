import { defaultHash, maxManifestSize, readAll } from '@stowage/client'
import { digestAlgorithm, digestOf, isDigest, parseManifest } from '@stowage/oci'
import { defineCommand } from '../command-line/define.ts'
import { text } from '../command-line/option-kinds.ts'
import { locationOf } from '../command-line/places.ts'
import { StowageError } from '../failure.ts'
import { openInput } from './input-file.ts'
import { nameProblems } from './name-problems.ts'

export const manifestPut = defineCommand({
  usage: '<reference> [file]',
  arguments: { reference: 'where to: a tag, or the digest it has', file: 'the manifest; - or nothing is stdin' },
  about: 'Pushes a manifest as it is, byte for byte. What it refers to has to be there already.',
  options: { mediaType: text('--media-type <type>', 'what it is, if it does not say so itself') },
  sides: 'one',
  examples: [
    ['stowage manifest put localhost:5000/app:v1 manifest.json', 'localhost:5000/app@sha256:…'],
    ['stowage manifest get alpine | stowage manifest put localhost:5000/alpine', 'from stdin'],
  ],
  async run({ args: [reference, file = '-'], options: { mediaType }, connect, keep, output, call, terminal }) {
    const location = locationOf(reference)
    const client = await connect(reference)
    await using input = await openInput(file, terminal.stdin, call.signal)
    const what = file === '-' ? 'stdin' : file
    const bytes = await readAll(input.content.open(call), maxManifestSize, what)
    const manifest = await nameProblems(what, () => parseManifest(bytes, mediaType))
    const named = location.reference !== undefined && isDigest(location.reference) ? location.reference : undefined
    const algorithm = named === undefined ? 'sha256' : digestAlgorithm(named)
    const descriptor = {
      mediaType: mediaType ?? manifest.mediaType,
      digest: digestOf(bytes, defaultHash, algorithm),
      size: bytes.byteLength,
    }
    if (named !== undefined && named !== descriptor.digest) {
      throw new StowageError('digest-mismatch', `${reference}: the manifest has the digest ${descriptor.digest}.`)
    }
    const { target, tags } = await client.target(reference)
    keep(target)
    await target.putManifest(descriptor, bytes, { ...call, tags: tags.filter((tag) => !isDigest(tag)) })
    await target.finish(call)
    const full = `${target.name}@${descriptor.digest}`
    await output.result({ reference: full, ...descriptor }, full)
  },
})
