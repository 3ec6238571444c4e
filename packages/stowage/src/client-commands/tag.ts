import type { Location } from '@stowage/client'
import { isTag } from '@stowage/oci'
import { defineCommand } from '../command-line/define.ts'
import { locationOf } from '../command-line/places.ts'
import { StowageError } from '../failure.ts'

export const tag = defineCommand({
  usage: '<reference> <tags...>',
  arguments: {
    reference: 'what is to have them, in a registry or in a layout',
    tags: 'the tags, or whole references in the same repository',
  },
  about:
    'Gives further tags to what a reference names. A tag that names something else is moved. No blob is read or written.',
  sides: 'one',
  examples: [
    ['stowage tag localhost:5000/app:v1.2.3 v1.2 v1 latest', 'three more'],
    ['stowage tag localhost:5000/app@sha256:… stable', 'by digest'],
    ['stowage tag ocidir:./images:v1 latest', 'in a layout'],
  ],
  async run({ args: [reference, tags], connect, keep, output, call }) {
    const location = locationOf(reference)
    const names = tags.map((name) => tagIn(location, name))
    const client = await connect(reference)
    const { source, reference: name } = await client.source(reference)
    keep(source)
    const { target } = await client.target(reference)
    keep(target)
    const descriptor = await target.resolve(name, call)
    for (const one of names) {
      await target.tag(descriptor, one, call)
      output.line(`tagged ${target.name}:${one}`)
    }
    await target.finish(call)
    const full = `${target.name}@${descriptor.digest}`
    await output.result({ reference: full, ...descriptor, tags: names }, full)
  },
})

/** @throws {StowageError} `usage` for a reference that is somewhere else */
const tagIn = (location: Location, text: string): string => {
  if (isTag(text)) return text
  const other = locationOf(text)
  const isSame =
    other.scheme === 'registry'
      ? location.scheme === 'registry' &&
        other.registry === location.registry &&
        other.repository === location.repository
      : location.scheme === other.scheme && 'path' in location && location.path === other.path
  if (isSame && other.reference !== undefined && isTag(other.reference)) return other.reference
  throw new StowageError('usage', `${text} is not a tag, and not one in the same place.`, {
    hint: 'A tag is up to 128 of A-Z a-z 0-9 . _ -. Into another repository an image is copied: stowage cp.',
  })
}
