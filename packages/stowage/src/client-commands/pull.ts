import { pullArtifact, openManifest, parsePlatform } from '@stowage/client'
import { defineCommand } from '../command-line/define.ts'
import { StowageError } from '../failure.ts'
import { artifactPullOptions, saveFiles } from './artifact-pull.ts'
import { imageFileFormats } from './image-file.ts'
import { imagePullOptions, pullImage } from './image-pull.ts'

const { platform: _, ...fileOptions } = artifactPullOptions

export const pull = defineCommand({
  usage: '<reference> [path]',
  arguments: {
    reference: 'an image or an artifact in a registry, a layout or an archive',
    path: 'the file an image is written to; - is stdout',
  },
  about:
    'Pulls an image into a file, or the files of an artifact. Which of the two is meant is told by the path: with one it is an image, as with crane; without one it is files, as with oras.',
  options: { ...imagePullOptions, ...fileOptions },
  formats: imageFileFormats,
  sides: 'one',
  resume: ([, path]) =>
    path === undefined
      ? 'Run the same command again to go on: files that are there are not read again.'
      : 'Run the same command again. A layout in a directory goes on where it was; an archive begins anew.',
  examples: [
    ['stowage pull alpine alpine.tar', 'an image: the same as stowage image pull'],
    ['stowage pull localhost:5000/docs:v1 -o docs', 'files: the same as stowage artifact pull'],
  ],
  notes: 'Scripts are better off with stowage image pull and stowage artifact pull: they mean one thing only.',
  async run({ args: [reference, path], options, ...tools }) {
    const { platform, recursive, ...files } = options
    if (path !== undefined) {
      const other = Object.values(files).some((value) => value !== undefined && value !== false)
      if (other)
        throw new StowageError('usage', 'With a path an image is meant, and the options are about files.', {
          hint: 'See stowage artifact pull --help.',
        })
      await pullImage(reference, path, { platform, recursive }, tools)
      return
    }
    const { connect, keep, call } = tools
    if (recursive || tools.format !== undefined || platform.length > 1) {
      throw new StowageError('usage', 'Without a path files are meant, and the options are about an image.', {
        hint: `Say where it goes: stowage pull ${reference} PATH`,
      })
    }
    const client = await connect(reference)
    const { source, reference: name } = await client.source(reference)
    keep(source)
    const [only] = platform.map(parsePlatform)
    const opened = await openManifest(source, name, call)
    const isImage =
      opened.kind === 'image' ||
      (opened.kind === 'index' &&
        opened.manifest.manifests.some((child) => child.platform !== undefined && child.artifactType === undefined))
    if (isImage && only === undefined) {
      throw new StowageError('usage', `${reference} is an image, and not files.`, {
        hint: `Say where it goes: stowage pull ${reference} PATH, or stowage image pull.`,
      })
    }
    const artifact = await pullArtifact(source, opened.descriptor.digest, {
      ...call,
      ...(only === undefined ? {} : { platform: only }),
    })
    await saveFiles(artifact, source.name, { ...files, platform: undefined }, tools)
  },
})
