import { discover as discoverFrom, type ReferrerTree } from '@stowage/client'
import { annotationKeys } from '@stowage/oci'
import { defineCommand } from '../command-line/define.ts'
import { count, flag, text } from '../command-line/option-kinds.ts'
import { escapeControls } from '../config/show.ts'
import { openReference } from './open-image.ts'
import { platformOption } from './platform-option.ts'

export const discover = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'an image or artifact in a registry, a layout or an archive' },
  about: 'Shows what refers to an image: signatures, SBOMs, attestations, and what refers to those, as a tree.',
  options: {
    artifactType: text('--artifact-type <type>', 'only referrers of this type'),
    depth: count('--depth <n>', 'how far down (default: all the way)', { least: 1 }),
    children: flag('--children', 'also what refers to the manifests of an index'),
    verbose: flag('--annotations', 'also annotations'),
    platform: platformOption,
  },
  formats: ['tree'],
  sides: 'one',
  examples: [
    ['stowage discover localhost:5000/app:v1', 'a tree'],
    [
      'stowage discover localhost:5000/app:v1 --artifact-type application/spdx+json --json',
      'SBOMs only, for a program',
    ],
    ['stowage discover --children localhost:5000/app:v1', 'also of each platform'],
  ],
  async run({ args: [reference], options, connect, keep, output, call }) {
    const { artifactType, depth, children, verbose, platform } = options
    const client = await connect(reference)
    const { source, reference: name } = await client.source(reference)
    keep(source)
    const root =
      platform === undefined
        ? name
        : (await openReference(client, reference, platform, { keep, call })).descriptor.digest
    const tree = await discoverFrom(source, root, {
      ...call,
      children,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(depth === undefined ? {} : { depth }),
    })
    const lines = [`${source.name}@${tree.descriptor.digest}`, ...linesOf(tree, verbose, '')]
    if (lines.length === 1) output.line(`Nothing refers to ${source.name}@${tree.descriptor.digest}.`)
    await output.result(toValue(source.name, tree), lines.join('\n'))
  },
})

/** Referrers within referrers, as other programs nest them. */
const toValue = (name: string, { descriptor, referrers, children }: ReferrerTree): object => ({
  reference: `${name}@${descriptor.digest}`,
  ...descriptor,
  referrers: referrers.map((tree) => toValue(name, tree)),
  ...(children === undefined ? {} : { manifests: children.map((tree) => toValue(name, tree)) }),
})

const linesOf = ({ referrers, children = [] }: ReferrerTree, verbose: boolean, indent: string): string[] => {
  const below = [
    ...referrers.map((tree) => ({ tree, label: tree.descriptor.artifactType ?? tree.descriptor.mediaType })),
    ...children.map((tree) => ({ tree, label: platformOf(tree) })),
  ]
  return below.flatMap(({ tree, label }, at) => {
    const last = at === below.length - 1
    const deeper = `${indent}${last ? '    ' : '│   '}`
    const { digest, annotations = {} } = tree.descriptor
    const created = annotations[annotationKeys.created]
    const notes = verbose ? Object.entries(annotations).map(([key, value]) => `${deeper}  ${key}: ${value}`) : []
    const line = `${indent}${last ? '└── ' : '├── '}${label}  ${digest}${created === undefined || verbose ? '' : `  ${created}`}`
    // A line that an annotation begins would look like another referrer.
    return [...[line, ...notes].map(escapeControls), ...linesOf(tree, verbose, deeper)]
  })
}

const platformOf = ({ descriptor: { platform, mediaType } }: ReferrerTree): string =>
  platform === undefined ? mediaType : [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
