import { type Content, contentOf, digestOf } from '../image.ts'
import type { Random } from '../random.ts'
import { type Style, type Tree, treeOf, write } from './json-tree.ts'
import { mutateBytes, mutateTree } from './manifest-mutations.ts'
import type { ManifestSeed } from './manifest-seeds.ts'
import { chance } from './random-choice.ts'

/** A manifest to push. */
export interface ManifestCase {
  readonly seed: string
  readonly body: Buffer
  /** Undefined: the request has none. */
  readonly contentType: string | undefined
}

export const createCases = (seeds: readonly ManifestSeed[]): ((random: Random) => ManifestCase) => {
  const trees = seeds.map(({ name, value }) => ({ name, tree: treeOf(value) }))
  return (random) => {
    const { name, tree } = random.pick(trees)
    let mutated = withOwnSubject(tree, random)
    // Many with one fault alone: behind the first nothing else of some checks is looked at.
    for (let times = random.pick([0, 0, 1, 1, 1, 2, 5]); times > 0; times -= 1) mutated = mutateTree(mutated, random)
    let body = Buffer.from(write(mutated, random.pick(styles), random))
    if (chance(random, 0.12)) body = Buffer.from(mutateBytes(body, random))
    // Beyond what is taken, and what is just taken.
    if (chance(random, 1 / 3000))
      body = Buffer.concat([body, Buffer.alloc(random.pick([4, 5]) * 2 ** 20 - body.byteLength, ' ')])
    return { seed: name, body, contentType: contentTypeOf(mutated, random) }
  }
}

const styles: readonly Style[] = [
  { space: '', line: '', escapes: 0 },
  { space: '', line: '', escapes: 0 },
  { space: ' ', line: '\n  ', escapes: 0 },
  { space: '\t', line: '\r\n', escapes: 0 },
  { space: '', line: '', escapes: 0.1 },
]

/** A subject that nothing else has, so that the list of its referrers stays short; and now and then blobs that are not there. */
const withOwnSubject = (tree: Tree, random: Random): Tree => {
  if (tree === null || typeof tree !== 'object' || Array.isArray(tree) || 'written' in tree) return tree
  const members = tree.members.map(([key, value]): [string, Tree] => {
    if (key === 'subject' && value !== null) return [key, withDigest(value, random)]
    if ((key === 'layers' || key === 'blobs') && Array.isArray(value) && chance(random, 0.2))
      return [key, value.map((item) => (chance(random, 0.5) ? withDigest(item, random) : item))]
    return [key, value]
  })
  if (chance(random, 0.3) && !members.some(([key]) => key === 'subject')) {
    members.push([
      'subject',
      withDigest(treeOf({ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: '', size: 7 }), random),
    ])
  }
  return { members }
}

const withDigest = (tree: Tree, random: Random): Tree => {
  if (tree === null || typeof tree !== 'object' || Array.isArray(tree) || 'written' in tree) return tree
  const digest = digestOf(random.bytes(8))
  return { members: tree.members.map(([key, value]): [string, Tree] => [key, key === 'digest' ? digest : value]) }
}

const contentTypeOf = (tree: Tree, random: Random): string | undefined => {
  const own =
    tree !== null && typeof tree === 'object' && 'members' in tree
      ? tree.members.find(([key]) => key === 'mediaType')?.[1]
      : undefined
  const declared = typeof own === 'string' && /^[\x21-\x7e]{1,200}$/.test(own) ? own : undefined
  if (chance(random, 0.75))
    return (
      declared ?? random.pick(['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json'])
    )
  if (chance(random, 0.1)) return undefined
  return random.pick([
    'application/json',
    'application/octet-stream',
    `${declared ?? 'a/b'}; charset=utf-8`,
    (declared ?? 'a/b').toUpperCase(),
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v1+json',
    'text/html',
    'x',
  ])
}

/** Blobs that the seeds are made of; the first is what an empty config is. */
export const seedContents = (): readonly Content[] => [
  contentOf(Buffer.from('{}')),
  contentOf(
    Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } })),
  ),
  ...Array.from({ length: 6 }, (_, at) => contentOf(Buffer.from(`a blob of the manifests, ${at}`))),
]
