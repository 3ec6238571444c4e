import { relative } from 'node:path'
import { parsePlatform, pullArtifact, type PulledArtifact } from '@stowage/client'
import { saveArtifact, type SavedFile, type UnpackLimits } from '@stowage/client/node'
import { defineCommand } from '../command-line/define.ts'
import { count, flag, type OptionValues, text } from '../command-line/option-kinds.ts'
import { parseSize } from '../config/size.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { followCopy } from '../terminal/progress.ts'
import { platformOption } from './platform-option.ts'
import type { Tools } from './tools.ts'

export const artifactPullOptions = {
  output: text('-o, --output <directory>', 'where files are written, and never outside of it (default: here)'),
  keepOld: flag('-k, --keep-old-files', 'replace nothing: a file that is there is an error'),
  keepPacked: flag('--keep-packed', 'leave directories packed, as files'),
  maxSize: text('--max-unpacked-size <size>', 'most bytes of a directory, as 16GiB (the default)'),
  maxEntries: count('--max-unpacked-entries <n>', 'most files of a directory (default 200000)', { least: 1 }),
  platform: platformOption,
}

export const artifactPull = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'an artifact in a registry, a layout or an archive' },
  about:
    'Pulls the files of an artifact. They are written below one directory only, whatever they are called; a file appears when all of it was seen to be right.',
  options: artifactPullOptions,
  sides: 'one',
  resume: 'Run the same command again to go on: files that are there are not read again.',
  examples: [
    ['stowage artifact pull localhost:5000/docs:v1', 'into the working directory'],
    ['stowage artifact pull localhost:5000/docs:v1 -o docs -k', 'into docs, replacing nothing'],
    [
      'stowage artifact pull localhost:5000/docs:v1 --format \'{{range .files}}{{.path}}{{"\\n"}}{{end}}\'',
      'what was written',
    ],
  ],
  async run({ args: [reference], options, ...tools }) {
    const { connect, keep, call } = tools
    const client = await connect(reference)
    const { source, reference: name } = await client.source(reference)
    keep(source)
    const platform = options.platform === undefined ? {} : { platform: parsePlatform(options.platform) }
    await saveFiles(await pullArtifact(source, name, { ...platform, ...call }), source.name, options, tools)
  },
})

/** Writes files, and says which. */
export const saveFiles = async (
  artifact: PulledArtifact,
  name: string,
  options: OptionValues<typeof artifactPullOptions>,
  { shared, output, progress, call }: Tools,
): Promise<void> => {
  const { output: directory = '.', keepOld, keepPacked } = options
  const { concurrency } = shared
  const job = saveArtifact(artifact, {
    directory,
    keepOld,
    keepPacked,
    limits: limitsOf(options),
    signal: call.signal,
    ...(concurrency === undefined ? {} : { concurrency }),
  })
  await followCopy(job, progress, output)
  const files = await job.result
  for (const { outcome, descriptor } of files) {
    if (outcome !== 'untitled') continue
    output.line(
      `A part has no title, and is not written. To get it: stowage blob get ${name}@${descriptor.digest} -o FILE`,
    )
  }
  const full = `${name}@${artifact.descriptor.digest}`
  const { artifactType = null, annotations } = artifact
  const value = { reference: full, ...artifact.descriptor, artifactType, annotations, files: files.map(toValue) }
  const written = files.flatMap(({ path }) => (path === undefined ? [] : [relative('.', path) || '.']))
  output.line(full)
  await output.result(value, written.join('\n'))
}

const toValue = ({ title, path, outcome, descriptor }: SavedFile): object => ({
  ...descriptor,
  title: title ?? null,
  path: path ?? null,
  outcome,
})

const limitsOf = ({ maxSize, maxEntries }: OptionValues<typeof artifactPullOptions>): UnpackLimits => {
  const bytes = maxSize === undefined ? undefined : parseSize(maxSize)
  if (maxSize !== undefined && bytes === undefined) {
    throw new StowageError('usage', `--max-unpacked-size must be a size such as 500MiB, not ${show(maxSize)}.`)
  }
  return { ...(bytes === undefined ? {} : { bytes }), ...(maxEntries === undefined ? {} : { entries: maxEntries }) }
}
