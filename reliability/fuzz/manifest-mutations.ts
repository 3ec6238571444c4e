import { digestOf } from '../image.ts'
import type { Random } from '../random.ts'
import type { Members, Tree } from './json-tree.ts'
import { chance } from './random-choice.ts'

const digits = (written: string): Tree => ({ written })

const strange: readonly Tree[] = [
  null,
  true,
  false,
  ...[
    '0',
    '-0',
    '-1',
    '1.5',
    '1.0',
    '1e3',
    '2E0',
    '1e400',
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '9'.repeat(30),
    '9'.repeat(5000),
    '00',
    '0x10',
    '+1',
    'NaN',
    'Infinity',
    '-',
    'undefined',
    "'x'",
  ].map(digits),
  '',
  'x',
  '2',
  '\0',
  '\ud800',
  '層',
  '<script>',
  '__proto__',
  'x'.repeat(2000),
  [],
  { members: [] },
  [[]],
  [{ members: [] }],
  [null],
  { members: [['a', digits('1')]] },
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'text/html',
  'sha256:',
  `sha256:${'A'.repeat(64)}`,
  `sha512:${'0'.repeat(128)}`,
  `md5:${'0'.repeat(32)}`,
  'e30=',
  'e30',
  'not base64!',
]

const keys: readonly string[] = [
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'blobs',
  'subject',
  'annotations',
  'digest',
  'size',
  'urls',
  'data',
  'platform',
  'fsLayers',
  '__proto__',
  'constructor',
  'x',
  '',
]

/** Another spelling of a key that some reader takes for the same. */
const respelled = (random: Random, key: string): string =>
  random.pick([
    key.toUpperCase(),
    key.charAt(0).toUpperCase() + key.slice(1),
    key.toLowerCase(),
    key.replace('s', 'ſ'),
    key.replace('k', '\u212a'),
    `${key} `,
    `${key}\0`,
    key.normalize('NFKD'),
    '__proto__',
  ])

const place = (random: Random, list: readonly unknown[]): number => random.between(0, Math.max(0, list.length - 1))

/** Changes a tree in one place, somewhere in its depth. */
export const mutateTree = (tree: Tree, random: Random): Tree => {
  if (tree === null || typeof tree !== 'object' || 'written' in tree || chance(random, 0.1))
    return mutateLeaf(tree, random)
  if (Array.isArray(tree)) {
    const copy = [...tree]
    const at = place(random, copy)
    const found = copy[at]
    if (found === undefined || chance(random, 0.15)) copy.splice(at, random.between(0, 1), random.pick(strange))
    else if (chance(random, 0.1)) copy.splice(at, 0, found)
    else copy[at] = mutateTree(found, random)
    return copy
  }
  return mutateMembers(tree, random)
}

const mutateLeaf = (tree: Tree, random: Random): Tree => {
  if (typeof tree !== 'string' || chance(random, 0.6)) return random.pick(strange)
  const at = random.between(0, tree.length)
  return random.pick([
    tree.slice(0, at),
    tree.toUpperCase(),
    `${tree.slice(0, at)}${random.pick(['\0', ' ', '/', 'é', ';a=b', '\ud800', '0'])}${tree.slice(at)}`,
    digestOf(Buffer.from(tree)),
    tree.repeat(2),
  ])
}

const mutateMembers = ({ members }: Members, random: Random): Members => {
  const copy = members.map(([key, value]): [string, Tree] => [key, value])
  const at = place(random, copy)
  const entry = copy[at]
  if (entry === undefined || chance(random, 0.12)) copy.splice(at, 0, [random.pick(keys), random.pick(strange)])
  else if (chance(random, 0.11)) copy.splice(at, 1)
  // The same key once more, alike or not: before it, behind it, or at the end.
  else if (chance(random, 0.1))
    copy.splice(random.pick([at, at + 1, copy.length]), 0, [entry[0], random.pick([entry[1], random.pick(strange)])])
  else if (chance(random, 0.07)) copy[at] = [respelled(random, entry[0]), entry[1]]
  else if (chance(random, 0.05)) copy.splice(at, 0, [respelled(random, entry[0]), entry[1]])
  else copy[at] = [entry[0], mutateTree(entry[1], random)]
  return { members: copy }
}

/** Changes the text of a document, and with it now and then whether it is JSON at all. */
export const mutateBytes = (bytes: Buffer, random: Random): Buffer => {
  const at = random.between(0, Math.max(0, bytes.byteLength - 1))
  const insert = (more: string | Buffer): Buffer =>
    Buffer.concat([bytes.subarray(0, at), typeof more === 'string' ? Buffer.from(more) : more, bytes.subarray(at)])
  return random.pick([
    () => {
      const copy = Buffer.from(bytes)
      for (let times = random.pick([1, 1, 1, 3]); times > 0 && copy.byteLength > 0; times -= 1)
        copy[random.between(0, copy.byteLength - 1)] = random.between(0, 255)
      return copy
    },
    () => {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] ?? 0) ^ (1 << random.between(0, 7))
      return copy
    },
    () => bytes.subarray(0, at),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.between(1, 5))]),
    () =>
      insert(
        random.pick([
          ' ',
          '\n',
          '\t',
          '\v',
          '\u00a0',
          '\ufeff',
          '\u2028',
          '/**/',
          '//\n',
          ',',
          '"',
          '}',
          '{',
          '\\',
          '\0',
        ]),
      ),
    () => insert(Buffer.from([random.pick([0xff, 0xc0, 0xed, 0xf5, 0x80])])),
    () =>
      Buffer.concat([
        random.pick([Buffer.from('\ufeff'), Buffer.from(' '), Buffer.from([0xff, 0xfe]), Buffer.from('\0')]),
        bytes,
      ]),
    () =>
      Buffer.concat([
        bytes,
        random.pick([
          Buffer.from('{}'),
          Buffer.from(','),
          Buffer.from('\n\n'),
          Buffer.from('\0'),
          Buffer.from('\u00a0'),
          bytes,
        ]),
      ]),
    () => Buffer.from(random.pick(['[', '{"a":', '[{"a":']).repeat(random.pick([3, 70, 3000])) + bytes.toString()),
    () => Buffer.from(bytes.toString(), random.pick(['utf16le', 'latin1'])),
  ])()
}
