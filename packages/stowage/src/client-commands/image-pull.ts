import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { copy, describePlatform, type OpenedManifest, openManifest, parsePlatform, type Target } from '@stowage/client'
import { openDockerArchive, openLayout, openOciArchive } from '@stowage/client/node'
import { formatReference, isDigest, type Platform } from '@stowage/oci'
import { show } from '../config/show.ts'
import { defineCommand } from '../command-line/define.ts'
import { flag, type OptionValues, texts } from '../command-line/option-kinds.ts'
import { locationOf } from '../command-line/places.ts'
import { StowageError } from '../failure.ts'
import { copiedValue, finishCopy } from './copied.ts'
import { type ImageFileFormat, imageFileFormats, isLocalPlace, toImageFileFormat } from './image-file.ts'
import { checkPlatform, thisPlatform } from './open-image.ts'
import { checkResultPlace } from './result-file.ts'
import type { Tools } from './tools.ts'

export const imagePullOptions = {
  platform: texts('--platform <platform>', 'only os/arch[/variant] of an index; may be repeated'),
  recursive: flag('-r, --recursive', 'also what refers to it', { also: ['--referrers'] }),
}

export const imagePull = defineCommand({
  usage: '<reference> <path>',
  arguments: {
    reference: 'an image in a registry, a layout or an archive',
    path: 'the file, or the directory, that it is written to; - is stdout',
  },
  about:
    'Pulls an image into a file. --format docker (the default) is what docker load reads, for one platform; oci is an image layout in a tar, oci-dir one in a directory, both with all platforms.',
  options: imagePullOptions,
  formats: imageFileFormats,
  sides: 'one',
  resume: 'Run the same command again. A layout in a directory goes on where it was; an archive begins anew.',
  examples: [
    ['stowage image pull alpine alpine.tar', 'then: docker load -i alpine.tar'],
    ['stowage image pull alpine - | docker load', 'without a file'],
    ['stowage image pull --format oci ghcr.io/acme/app:v1 app.tar', 'all platforms'],
    ['stowage image pull --format oci-dir ghcr.io/acme/app:v1 ./images', 'into a layout, beside what is there'],
  ],
  async run({ args: [reference, path], options, ...tools }) {
    await pullImage(reference, path, options, tools)
  },
})

/** Pulls an image to the disk. */
export const pullImage = async (
  from: string,
  path: string,
  { platform, recursive }: OptionValues<typeof imagePullOptions>,
  tools: Tools,
): Promise<void> => {
  const { connect, keep, shared, output, call, terminal } = tools
  if (isLocalPlace(path))
    throw new StowageError('usage', `${show(path)} is a place, not a path.`, { hint: `stowage cp ${from} ${path}` })
  const format = toImageFileFormat(tools.format) ?? (await formatOf(path))
  if (path === '-' && terminal.stdout.isTTY === true) {
    throw new StowageError('usage', 'stdout is a terminal: name a file, or pipe it into a program.')
  }
  const wanted = platform.map(parsePlatform)
  if (path !== '-' && format !== 'oci-dir' && !(await isDirectory(path))) await checkResultPlace(path)
  if (format === 'docker' && wanted.length > 1) {
    throw new StowageError('usage', "An archive of Docker's has one platform. Name one, or write --format oci.")
  }
  const client = await connect(from)
  const { source, reference } = await client.source(from)
  keep(source)
  const opened = await openManifest(source, reference, call)
  await checkPlatform(opened, wanted, call)
  const platforms = format === 'docker' && wanted.length === 0 ? await onePlatform(opened, output.line) : wanted
  const file = await openFile(path, format, tools)
  keep(file.target)
  const tags = tagsIn(from, format)
  const { concurrency } = shared
  try {
    const job = copy(
      { source, reference: opened.descriptor.digest },
      { target: file.target, tags },
      { platforms, referrers: recursive, signal: call.signal, ...(concurrency === undefined ? {} : { concurrency }) },
    )
    const result = await finishCopy(job, file.target, tools)
    await file.finish()
    const full = `${source.name}@${result.root.digest}`
    // stdout has the archive.
    if (path === '-') output.line(full)
    else await output.result({ ...copiedValue(file.target, tags, result), reference: full, path, format }, full)
  } catch (error) {
    await file.discard()
    throw error
  }
}

const isDirectory = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() === true

const formatOf = async (path: string): Promise<ImageFileFormat> => {
  if (/[/\\]$/.test(path)) return 'oci-dir'
  return path !== '-' && (await isDirectory(path)) ? 'oci-dir' : 'docker'
}

interface ImageFile {
  readonly target: Target
  finish(): Promise<void>
  discard(): Promise<void>
}

const nothing = async (): Promise<void> => {}

/** A tar is new each time: it takes the place of an old one when it is whole. */
const openFile = async (path: string, format: ImageFileFormat, { terminal, call }: Tools): Promise<ImageFile> => {
  if (format === 'oci-dir') {
    return { target: await openLayout(path, { create: true, signal: call.signal }), finish: nothing, discard: nothing }
  }
  const open = format === 'docker' ? openDockerArchive : openOciArchive
  const options = { create: true, output: terminal.stdout, signal: call.signal }
  if (path === '-') return { target: await open(path, options), finish: nothing, discard: nothing }
  const there = await stat(path).catch(() => undefined)
  if (there?.isDirectory() === true) {
    throw new StowageError('usage', `${show(path)} is a directory, and --format ${format} is a file.`)
  }
  // A device or a pipe, such as /dev/null, is written to, and nothing takes its place.
  if (there !== undefined && !there.isFile()) {
    const stream = createWriteStream(path)
    // Whoever writes is told.
    stream.on('error', () => {})
    return {
      target: await open('-', { ...options, output: stream }),
      finish: async () => {
        stream.end()
        await finished(stream)
      },
      discard: async () => void stream.destroy(),
    }
  }
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  return {
    target: await open(beside, options),
    finish: async () => rename(beside, path),
    discard: async () => rm(beside, { force: true }),
  }
}

/** Docker names images by whole references; without one it has only a digest. */
const tagsIn = (from: string, format: ImageFileFormat): readonly string[] => {
  const location = locationOf(from)
  if (location.scheme !== 'registry') {
    const { reference } = location
    return reference === undefined || isDigest(reference) ? [] : [reference]
  }
  const { registry, repository, reference, tag = reference === undefined ? 'latest' : undefined } = location
  if (tag === undefined) return []
  return [format === 'docker' ? formatReference({ registry, repository, tag }) : tag]
}

/** The only platform of an index, or that of this machine. None for what is one image anyway. */
const onePlatform = async (opened: OpenedManifest, say: (text: string) => void): Promise<readonly Platform[]> => {
  if (opened.kind !== 'index') return []
  const all = opened.manifest.manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === 'unknown' ? [] : [platform],
  )
  const [only] = all
  if (all.length === 1 && only !== undefined) return [only]
  const own = parsePlatform(thisPlatform())
  say(
    `${describePlatform(own)} of ${all.map(describePlatform).join(', ')}: --platform chooses another, --format oci takes all`,
  )
  return [own]
}
