import { isDigest } from '@stowage/oci'
import { defineCommand } from '../command-line/define.ts'
import { locationOf } from '../command-line/places.ts'
import { StowageError } from '../failure.ts'
import { confirmDeletion, confirmOptions } from './confirm.ts'

export const tagRm = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'repository:tag, in a registry or in a layout' },
  about:
    'Removes a tag, and never the manifest: that stays, with its other tags. Where a registry can delete manifests only, the ' +
    'tag is moved to an empty one first, and that one is deleted.',
  options: confirmOptions,
  sides: 'one',
  examples: [['stowage tag rm localhost:5000/app:v1', 'asks first, on a terminal']],
  async run({ args: [reference], options: { force }, connect, keep, output, prompt, call }) {
    const { reference: tag } = locationOf(reference)
    if (tag === undefined || isDigest(tag)) {
      throw new StowageError(
        'usage',
        `${reference} names no tag. Write repository:tag, or use stowage rm for a manifest.`,
      )
    }
    const { target } = await (await connect(reference)).target(reference)
    keep(target)
    const full = `${target.name}:${tag}`
    await confirmDeletion(`Remove the tag ${full}?`, force, prompt)
    await target.deleteTag(tag, call)
    await target.finish(call)
    await output.result({ reference: full, tag, deleted: true }, full)
  },
})
