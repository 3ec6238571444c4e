import { defineCommand } from '../command-line/define.ts'
import { locationOf } from '../command-line/places.ts'
import { StowageError } from '../failure.ts'
import { confirmDeletion, confirmOptions } from './confirm.ts'
import { blobDigest } from './find-blob.ts'

export const blobRm = defineCommand({
  usage: '<blob>',
  arguments: { blob: 'repository@digest, in a registry' },
  about: 'Deletes a blob from a repository. Most registries do not allow it, or not while a manifest needs the blob.',
  options: confirmOptions,
  sides: 'one',
  examples: [['stowage blob rm localhost:5000/app@sha256:…', 'asks first, on a terminal']],
  async run({ args: [blob], options: { force }, connect, output, prompt, call }) {
    const digest = blobDigest(blob)
    if (locationOf(blob).scheme !== 'registry') {
      throw new StowageError('failed', 'In a layout or archive no single blob can be deleted.')
    }
    const repository = (await connect(blob)).repository(blob)
    await confirmDeletion(`Delete the blob ${digest} of ${repository.name}?`, force, prompt)
    await repository.deleteBlob(digest, call)
    const full = `${repository.name}@${digest}`
    await output.result({ reference: full, digest, deleted: true }, full)
  },
})
