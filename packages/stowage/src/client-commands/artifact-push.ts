import { pushArtifact } from '@stowage/client'
import { defineCommand } from '../command-line/define.ts'
import { locationOf } from '../command-line/places.ts'
import { type ArtifactInputOptions, artifactInputOptions, openArtifactInput } from './artifact-input.ts'
import { copiedValue, finishCopy } from './copied.ts'
import { checkOrder } from './order.ts'
import { resumeSending } from './resume-sending.ts'
import { splitTags } from './tag-list.ts'
import type { Tools } from './tools.ts'

export const artifactPush = defineCommand({
  usage: '<reference> [files...]',
  arguments: {
    reference: 'where it goes; further tags may follow: host/files:v1,latest',
    files: 'files and directories, each with :media/type behind it if it has one; - is stdin',
  },
  about:
    'Pushes files as an artifact. A directory becomes a tar, and a directory again when it is pulled. The same files make the same digest.',
  options: artifactInputOptions,
  sides: 'one',
  resume: resumeSending(0),
  examples: [
    ['stowage artifact push localhost:5000/docs:v1 manual.pdf:application/pdf notes.txt', 'two files'],
    ['stowage artifact push localhost:5000/site:v1 ./public --artifact-type application/vnd.acme.site', 'a directory'],
    ['stowage artifact push localhost:5000/docs:v1 manual.pdf -a com.example.draft=yes', 'with an annotation'],
  ],
  notes:
    'A file is called by its path below the working directory; one from elsewhere by the last part of its path. With SOURCE_DATE_EPOCH set, the artifact and what is in directories has that time; else none.',
  async run({ args: [reference, files], options, ...tools }) {
    await pushFiles(reference, files, options, tools)
  },
})

/** Pushes files. */
export const pushFiles = async (
  to: string,
  files: readonly string[],
  options: ArtifactInputOptions,
  tools: Tools,
): Promise<void> => {
  const { connect, keep, shared, output, call } = tools
  checkOrder('artifact push', to, files)
  const { reference, tags: further } = splitTags(to)
  locationOf(reference)
  await using input = await openArtifactInput(files, options, tools)
  const client = await connect(reference)
  const { target, tags: named } = await client.target(reference)
  keep(target)
  const tags = [...new Set([...named, ...further])]
  const { concurrency } = shared
  const { parts } = input
  const job = pushArtifact(target, {
    ...parts,
    tags,
    signal: call.signal,
    ...(concurrency === undefined ? {} : { concurrency }),
  })
  const result = await finishCopy(job, target, tools)
  const titles = (parts.files ?? []).map(({ title }) => title ?? null)
  const value = { ...copiedValue(target, tags, result), artifactType: parts.artifactType ?? null, files: titles }
  await output.result(value, `${target.name}@${result.root.digest}`)
}
