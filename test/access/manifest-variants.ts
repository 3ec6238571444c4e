import { type Document, index, sha256 } from './content.ts'
import type { Draft, Place, Repair } from './variants.ts'

const manifestRepair = (path: string, { text, type }: Document): Repair => ({ method: 'PUT', path, body: text, type })
const putBack = ({ name, content }: Place): Repair => manifestRepair(`/v2/${name}/manifests/existing`, content.image)
const remove = ({ name, unique }: Place): Repair => ({
  method: 'DELETE',
  path: `/v2/${name}/manifests/${index(unique).digest}`,
})

const fresh = (last: (place: Place, digest: string) => string, query?: (place: Place) => string) => (place: Place) => {
  const { text, digest, type } = index(place.unique)
  return {
    last: last(place, digest),
    body: text,
    headers: { 'content-type': type },
    ...(query !== undefined && { query: query(place) }),
  }
}

const read: Draft['wanted'] = { needs: ['pull'], reads: true }
const create: Draft['wanted'] = { needs: ['push'] }
const move: Draft['wanted'] = { needs: ['push', 'overwrite'], touchesExisting: true }
const removal: Draft['wanted'] = { needs: ['delete'], reads: true }

export const manifestReads: readonly Draft[] = [
  { label: 'by tag', wanted: read, fill: () => ({ last: 'existing' }) },
  { label: 'by digest', wanted: read, fill: ({ content }) => ({ last: content.image.digest }) },
  {
    label: 'of another repository',
    wanted: { ...read, foreign: true },
    fill: ({ elsewhere }) => ({ last: elsewhere.image.digest }),
  },
]

export const manifestPuts: readonly Draft[] = [
  {
    label: 'new tag',
    wanted: create,
    fill: fresh(({ unique }) => `new-${unique}`),
    repair: (place) => [remove(place)],
  },
  {
    label: 'existing tag',
    wanted: move,
    fill: fresh(() => 'existing'),
    repair: (place) => [putBack(place), remove(place)],
  },
  { label: 'digest', wanted: create, fill: fresh((_, digest) => digest), repair: (place) => [remove(place)] },
  {
    label: 'digest, new tags',
    wanted: create,
    fill: fresh(
      (_, digest) => digest,
      ({ unique }) => `tag=a-${unique}&tag=b-${unique}`,
    ),
    repair: (place) => [remove(place)],
  },
  {
    label: 'digest, existing tag',
    wanted: move,
    fill: fresh(
      (_, digest) => digest,
      () => 'tag=existing',
    ),
    repair: (place) => [putBack(place), remove(place)],
  },
  {
    label: 'digest, new tag and existing tag',
    wanted: move,
    fill: fresh(
      (_, digest) => digest,
      ({ unique }) => `tag=a-${unique}&tag=existing`,
    ),
    repair: (place) => [putBack(place), remove(place)],
  },
  {
    label: 'what the tag names already',
    wanted: create,
    // Of a manifest that needs nothing, so that it can be put where there is nothing yet.
    fill: ({ content: { victim } }) => ({
      last: 'victim',
      body: victim.text,
      headers: { 'content-type': victim.type },
    }),
  },
  {
    label: 'with a blob of another repository',
    wanted: { ...create, foreignBlob: true },
    fill: ({ elsewhere, content: { image }, unique }) => {
      const config = {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(elsewhere.loose),
        size: Buffer.byteLength(elsewhere.loose),
      }
      const body = JSON.stringify({ schemaVersion: 2, mediaType: image.type, config, layers: [] })
      return { last: `foreign-${unique}`, body, headers: { 'content-type': image.type } }
    },
  },
]

export const manifestDeletes: readonly Draft[] = [
  {
    label: 'tag',
    wanted: removal,
    fill: () => ({ last: 'victim' }),
    repair: ({ name, content }) => [manifestRepair(`/v2/${name}/manifests/victim`, content.victim)],
  },
  {
    label: 'digest with a tag',
    wanted: removal,
    fill: ({ content }) => ({ last: content.victim.digest }),
    repair: ({ name, content }) => [manifestRepair(`/v2/${name}/manifests/victim`, content.victim)],
  },
  {
    label: 'digest',
    wanted: removal,
    fill: ({ content }) => ({ last: content.untagged.digest }),
    repair: ({ name, content: { untagged } }) => [manifestRepair(`/v2/${name}/manifests/${untagged.digest}`, untagged)],
  },
  {
    label: 'existing tag',
    wanted: { ...removal, touchesExisting: true },
    fill: () => ({ last: 'existing' }),
    repair: (place) => [putBack(place)],
  },
  {
    label: 'digest with the existing tag',
    wanted: { ...removal, touchesExisting: true },
    fill: ({ content }) => ({ last: content.image.digest }),
    repair: (place) => [putBack(place)],
  },
  {
    label: 'of another repository',
    wanted: { ...removal, foreign: true },
    fill: ({ elsewhere }) => ({ last: elsewhere.image.digest }),
  },
]
