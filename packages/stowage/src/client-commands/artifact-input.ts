import type { ArtifactContent, ArtifactOptions } from '@stowage/client'
import { openArtifactFiles, parseFileArgument } from '@stowage/client/node'
import { annotationKeys } from '@stowage/oci'
import type { CommandContext } from '../command-line/context.ts'
import { text, texts } from '../command-line/option-kinds.ts'
import type { OptionValues } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { parseAnnotations, readAnnotationFile } from './annotations.ts'
import { openInput } from './input-file.ts'
import { sourceDate } from './source-date.ts'

/** What every command has that pushes files. */
export const artifactInputOptions = {
  artifactType: text(
    '--artifact-type <type>',
    'what it is: a media type (default application/vnd.unknown.artifact.v1)',
  ),
  annotation: texts('-a, --annotation <key=value>', 'an annotation of the manifest; may be repeated'),
  annotationFile: text('--annotation-file <file>', 'annotations of "$manifest", "$config" and files, in JSON'),
  config: text('--config <file>', 'its config, with :media/type behind it; default: the empty one'),
  file: texts('-f, --file <file>', 'regctl: a file', { hidden: true }),
}

export type ArtifactInputOptions = OptionValues<typeof artifactInputOptions>

/** The parts of an artifact, as the command line names them. Temporary files go when it is disposed of. */
export interface ArtifactInput extends AsyncDisposable {
  readonly parts: ArtifactOptions
}

/** As oras has them. */
const unknownArtifact = 'application/vnd.unknown.artifact.v1'
const unknownConfig = 'application/vnd.unknown.config.v1+json'

/** @throws {StowageError} `usage`; {ClientError} `not-found`, `denied` … for files */
export const openArtifactInput = async (
  named: readonly string[],
  options: ArtifactInputOptions,
  { call, terminal, environment }: Pick<CommandContext<[], object>, 'call' | 'terminal' | 'environment'>,
): Promise<ArtifactInput> => {
  await using opened = new AsyncDisposableStack()
  const given = parseAnnotations(options.annotation)
  const noted = options.annotationFile === undefined ? {} : await readAnnotationFile(options.annotationFile)
  const modified = sourceDate(environment)
  const wanted = [...named, ...options.file].map(parseFileArgument)
  const { $manifest = {} } = noted
  const isEmpty = [...wanted, ...Object.keys(given), ...Object.keys($manifest)].length === 0
  if (isEmpty && options.config === undefined) {
    throw new StowageError('usage', 'There is nothing to push: no file and no annotation.', {
      hint: 'Name files behind the reference, or give annotations with -a key=value.',
    })
  }
  const onDisk = wanted.filter(({ path }) => path !== '-')
  const [stdin, ...more] = wanted.filter(({ path }) => path === '-')
  if (more.length > 0) throw new StowageError('usage', 'stdin can be one file only: - is given twice.')
  const { $manifest: ofManifest = {}, $config: ofConfig, ...ofFiles } = noted
  const { files } = opened.use(
    await openArtifactFiles(onDisk, {
      annotations: ofFiles,
      signal: call.signal,
      ...(modified === undefined ? {} : { modified }),
    }),
  )
  const unused = Object.keys(ofFiles).find((title) => files.every((file) => file.title !== title))
  if (unused !== undefined)
    throw new StowageError('usage', `${options.annotationFile}: no file is called ${JSON.stringify(unused)}.`)
  const piped: ArtifactContent[] = []
  if (stdin !== undefined) {
    const { content } = opened.use(await openInput('-', terminal.stdin, call.signal))
    piped.push({ content, ...(stdin.mediaType === undefined ? {} : { mediaType: stdin.mediaType }) })
  }
  const created =
    modified === undefined ? {} : { [annotationKeys.created]: modified.toISOString().replace('.000Z', 'Z') }
  const artifactType = options.artifactType ?? (options.config === undefined ? unknownArtifact : undefined)
  const parts: ArtifactOptions = {
    files: [...files, ...piped],
    annotations: { ...created, ...ofManifest, ...given },
    ...(artifactType === undefined ? {} : { artifactType }),
  }
  const config = options.config === undefined ? undefined : await openConfig(options.config)
  const disposables = opened.move()
  return {
    parts:
      config === undefined
        ? parts
        : { ...parts, config: { ...config, ...(ofConfig === undefined ? {} : { annotations: ofConfig }) } },
    [Symbol.asyncDispose]: async () => disposables.disposeAsync(),
  }
}

const openConfig = async (
  argument: string,
): Promise<{ content: Awaited<ReturnType<typeof openInput>>['content']; mediaType: string }> => {
  const { fileContent } = await import('@stowage/client/node')
  const { path, mediaType = unknownConfig } = parseFileArgument(argument)
  return { content: await fileContent(path), mediaType }
}
