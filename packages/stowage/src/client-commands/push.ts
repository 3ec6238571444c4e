import { defineCommand } from '../command-line/define.ts'
import { mistakenReference } from '../command-line/mistaken-reference.ts'
import { locationOf } from '../command-line/places.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { artifactInputOptions } from './artifact-input.ts'
import { pushFiles } from './artifact-push.ts'
import { imageFileFormats, isPath } from './image-file.ts'
import { imagePushOptions, pushImage } from './image-push.ts'
import { namesRegistry } from './order.ts'
import { resumeSending } from './resume-sending.ts'
import { splitTags } from './tag-list.ts'

export const push = defineCommand({
  usage: '<path-or-reference> <reference-or-file> [files...]',
  arguments: {
    'path-or-reference': 'the path of an image, or where files go',
    'reference-or-file': 'where the image goes, or a file',
    files: 'more files',
  },
  about:
    'Pushes an image from a file or directory, or pushes files. Which of the two is meant is told by the first word: the path of something that is there means an image, as with crane; a reference means files, as with oras.',
  options: { ...imagePushOptions, ...artifactInputOptions },
  formats: imageFileFormats,
  sides: 'one',
  resume: resumeSending(1),
  examples: [
    ['stowage push app.tar localhost:5000/app:v1', 'an image: the same as stowage image push'],
    ['stowage push localhost:5000/docs:v1 manual.pdf:application/pdf', 'files: the same as stowage artifact push'],
  ],
  notes: 'Scripts are better off with stowage image push and stowage artifact push: they mean one thing only.',
  async run({ args: [first, second, more], options, ...tools }) {
    const { image, platform, recursive, ...input } = options
    const ofFiles = Object.values(input)
      .flat()
      .filter((value) => value !== undefined)
    if (await isPath(first)) {
      if (more.length > 0 || ofFiles.length > 0) throw ambiguous(first, 'artifact push')
      await pushImage(first, second, { image, platform, recursive }, tools)
      return
    }
    // Of two words that both may be references, the one with a host is.
    const isPlace = mistakenReference(first) === undefined
    if (!isPlace || (namesRegistry(second) && !namesRegistry(first))) {
      throw new StowageError('not-found', `There is no file ${show(first)}.`, {
        hint: 'To push files, write the reference first: stowage artifact push REFERENCE FILE.',
      })
    }
    try {
      locationOf(splitTags(first).reference)
    } catch (error) {
      throw new StowageError('usage', `${show(first)} is neither a file that is there nor a reference.`, {
        cause: error,
      })
    }
    if (image !== undefined || platform.length > 0 || recursive || tools.format !== undefined) throw notThere(first)
    await pushFiles(first, [second, ...more], input, tools)
  },
})

const ambiguous = (path: string, command: string): StowageError =>
  new StowageError('usage', `There is a file ${show(path)}, so that an image is meant; the rest is about files.`, {
    hint: `To push files to ${path} write: stowage ${command}`,
  })

const notThere = (path: string): StowageError =>
  new StowageError(
    'usage',
    `There is no file ${show(path)}, so that files are meant; the options are those of an image.`,
    {
      hint: 'See stowage image push --help.',
    },
  )
