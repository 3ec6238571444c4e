import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Annotations, type HashFactory, mediaTypes } from '@stowage/oci'
import type { ArtifactContent } from '../../artifact/pack-artifact.ts'
import { ClientError } from '../../errors.ts'
import { defaultHash } from '../../hash.ts'
import { throwIfAborted } from '../../content/interrupt.ts'
import { fileContent } from '../file-content.ts'
import { onFile } from '../file-errors.ts'
import type { FileArgument } from './file-argument.ts'
import { packDirectory } from './pack-directory.ts'
import { requireSafe, titleOfPath } from './title-path.ts'
import { digestKey, unpackKey } from './unpack-annotations.ts'

/** How files of the disk become parts of an artifact. */
export interface ArtifactFilesOptions {
  /** What titles begin at. Default: the working directory. */
  readonly directory?: string
  /** The time of everything in the tar of a directory. Default: the beginning of 1970. */
  readonly modified?: Date
  /** Annotations of files, by their titles. */
  readonly annotations?: Readonly<Record<string, Annotations>>
  readonly hash?: HashFactory
  readonly signal?: AbortSignal
}

/** Files for `pushArtifact`. Directories are in temporary files until this is disposed of. */
export interface ArtifactFiles extends AsyncDisposable {
  readonly files: readonly ArtifactContent[]
}

/**
 * Files and directories of the disk as parts of an artifact, as oras has them: a file as it is, a directory as a compressed tar
 * that is unpacked when it is pulled. Their titles are their paths.
 *
 * @throws {ClientError} `not-found`, `denied`; `invalid-content` for what cannot be packed; `usage` when two have one title
 */
export const openArtifactFiles = async (
  wanted: readonly FileArgument[],
  { directory = process.cwd(), modified, annotations = {}, hash = defaultHash, signal }: ArtifactFilesOptions = {},
): Promise<ArtifactFiles> => {
  const files: ArtifactContent[] = []
  const opened: AsyncDisposable[] = []
  const close = async (): Promise<void> => {
    for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
  }
  const open = async ({ path, mediaType }: FileArgument): Promise<ArtifactContent> => {
    const full = resolve(directory, path)
    const title = titleOfPath(path, directory)
    requireSafe(path, title)
    const own = annotations[title] ?? {}
    const stats = await onFile(path, () => stat(full))
    if (!stats.isDirectory()) {
      const content = await fileContent(full)
      return { content, title, annotations: own, ...(mediaType === undefined ? {} : { mediaType }) }
    }
    const packed = await packDirectory(full, {
      prefix: title,
      hash,
      signal,
      ...(modified === undefined ? {} : { modified }),
    })
    opened.push(packed)
    return {
      content: packed.content,
      title,
      mediaType: mediaType ?? mediaTypes.ociLayerGzip,
      annotations: { ...own, [digestKey]: packed.digest, [unpackKey]: 'true' },
    }
  }
  try {
    const titles = new Set<string>()
    for (const one of wanted) {
      throwIfAborted(signal)
      const file = await open(one)
      if (titles.has(file.title ?? '')) throw sameTitle(file.title ?? '')
      titles.add(file.title ?? '')
      files.push(file)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { files, [Symbol.asyncDispose]: close }
}

const sameTitle = (title: string): ClientError =>
  new ClientError('usage', `Two files would be called ${JSON.stringify(title)}.`, {
    hint: 'A file from outside the working directory is called by the last part of its path: push from a directory above both.',
  })
