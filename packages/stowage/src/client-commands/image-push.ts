import { existsSync } from 'node:fs'
import { copy, isClientError, type LocatedSource, parsePlatform } from '@stowage/client'
import { defineCommand } from '../command-line/define.ts'
import { type OptionValues, flag, text, texts } from '../command-line/option-kinds.ts'
import { locationOf } from '../command-line/places.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { copiedValue, finishCopy } from './copied.ts'
import { imageFileFormats, isLocalPlace, openImageFile, toImageFileFormat } from './image-file.ts'
import { resumeSending } from './resume-sending.ts'
import { splitTags } from './tag-list.ts'
import type { Tools } from './tools.ts'

export const imagePushOptions = {
  image: text('--image <name>', 'which image, when there are several'),
  platform: texts('--platform <platform>', 'only os/arch[/variant] of an index; may be repeated'),
  recursive: flag('-r, --recursive', 'also what refers to it', { also: ['--referrers'] }),
}

export const imagePush = defineCommand({
  usage: '<path> <reference>',
  arguments: {
    path: 'an image layout, a tar of one, or what docker save writes; - is stdin',
    reference: 'where it goes; further tags may follow: host/app:v1,latest',
  },
  about: 'Pushes an image from a file, or from a directory, to a registry. What the path is, is looked up.',
  options: imagePushOptions,
  formats: imageFileFormats,
  sides: 'one',
  references: [1],
  resume: resumeSending(1),
  examples: [
    ['stowage image push app.tar localhost:5000/app:v1', 'localhost:5000/app@sha256:…'],
    ['docker save acme/app | stowage image push - localhost:5000/app', 'from Docker, without a registry'],
    ['stowage image push ./images localhost:5000/app:v1 --image v1', 'one of several in a layout'],
  ],
  notes: 'What a path is need not be looked up when it is said: --format docker, oci or oci-dir.',
  async run({ args: [path, reference], options, ...tools }) {
    await pushImage(path, reference, options, tools)
  },
})

/** Pushes an image from the disk. */
export const pushImage = async (
  path: string,
  to: string,
  { image, platform, recursive }: OptionValues<typeof imagePushOptions>,
  tools: Tools,
): Promise<void> => {
  const { connect, keep, shared, output, call } = tools
  const { reference, tags: further } = splitTags(to)
  locationOf(reference)
  const platforms = platform.map(parsePlatform)
  const client = await connect(reference)
  const { source, reference: name } = isLocalPlace(path) ? await client.source(path) : await openedAs(path, to, tools)
  keep(source)
  const { target, tags: named } = await client.target(reference)
  keep(target)
  const tags = [...new Set([...named, ...further])]
  const { concurrency } = shared
  const job = copy(
    { source, reference: image ?? name },
    { target, tags },
    { platforms, referrers: recursive, signal: call.signal, ...(concurrency === undefined ? {} : { concurrency }) },
  )
  const result = await finishCopy(job, target, tools)
  await output.result(copiedValue(target, tags, result), `${target.name}@${result.root.digest}`)
}

const openedAs = async (path: string, to: string, tools: Tools): Promise<LocatedSource> => {
  try {
    return { source: await openImageFile(path, toImageFileFormat(tools.format), tools), reference: '' }
  } catch (error) {
    const isOther = isClientError(error, 'invalid-content') || (isClientError(error, 'not-found') && existsSync(path))
    if (!isOther || path === '-') throw error
    throw new StowageError('failed', `${show(path)} is no image. ${error.message}`, {
      hint: `To push files: stowage artifact push ${to} ${path}`,
      cause: error,
    })
  }
}
