import { collect, type ImageUsage, parsePlatform, type UsageRequest, usage } from '@stowage/client'
import { isDigest } from '@stowage/oci'
import { defineCommand } from '../command-line/define.ts'
import { flag, texts } from '../command-line/option-kinds.ts'
import { locationOf } from '../command-line/places.ts'
import { escapeControls } from '../config/show.ts'
import { approximately } from '../terminal/bytes.ts'

export const du = defineCommand({
  usage: '<references...>',
  arguments: { references: 'images; or repositories, layouts and archives with all their tags' },
  about:
    'Shows how much room images take: what each has, what it has alone, and what all have together, each blob counted once. Only manifests are read.',
  options: {
    platforms: flag('--platforms', 'a line for each platform, too'),
    platform: texts('--platform <platform>', 'only os/arch[/variant] of indexes; may be repeated'),
    bytes: flag('-b, --bytes', 'exact numbers'),
  },
  sides: 'one',
  examples: [
    ['stowage du localhost:5000/app', 'every tag, and what they share'],
    ['stowage du --platforms alpine:3.20', 'each platform of one image'],
    ['stowage du localhost:5000/app:v1 localhost:5000/app:v2', 'what v2 adds to v1'],
  ],
  notes: 'Unique is what nothing else that is listed has: what would be free if that alone were deleted.',
  async run({ args: [references], options, connect, keep, output, call, shared }) {
    const platforms = options.platform.map(parsePlatform)
    const client = await connect(...references)
    const requests: UsageRequest[] = []
    for (const text of references) {
      const { reference } = locationOf(text)
      const { source } = await client.source(text)
      keep(source)
      const names = reference === undefined ? await collect(source.tags(call)) : [reference]
      // What has no name in a layout is there all the same.
      if (names.length === 0 && reference === undefined && source.repository === undefined) names.push('')
      requests.push(...names.map((name) => ({ source, reference: name, name: fullName(source.name, name) })))
    }
    const { concurrency } = shared
    const used = await usage(requests, { ...call, platforms, ...(concurrency === undefined ? {} : { concurrency }) })
    const size = (bytes: number): string => (options.bytes ? String(bytes) : approximately(bytes))
    const rows = used.images.flatMap((image) => rowsOf(image, options.platforms, size))
    const total: Row = [
      size(used.total),
      '',
      `${used.images.length} in all, each blob once (apart they would have ${size(used.apparent)})`,
    ]
    await output.result(used, table([['size', 'unique', ''], ...rows, total]))
    for (const { name, missing } of used.images) {
      if (missing.length > 0)
        output.line(`${name} lacks ${missing.length} of the manifests in its index: those are not counted`)
    }
  },
})

const fullName = (name: string, reference: string): string => {
  if (reference === '') return name
  return `${name}${isDigest(reference) ? '@' : ':'}${reference}`
}

type Row = readonly [size: string, unique: string, what: string]

const rowsOf = (image: ImageUsage, each: boolean, size: (bytes: number) => string): Row[] => [
  [size(image.bytes), size(image.unique), image.name],
  ...(each ? image.platforms : []).map(({ bytes, unique, platform, descriptor }): Row => [
    size(bytes),
    size(unique),
    `  ${escapeControls(platform ?? descriptor.digest)}`,
  ]),
]

const table = (rows: readonly Row[]): string => {
  const [first, second] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map(([size, unique, what]) => `${size.padStart(first ?? 0)}  ${unique.padStart(second ?? 0)}  ${what}`.trimEnd())
    .join('\n')
}
