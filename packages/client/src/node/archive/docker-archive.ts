import type { Target } from '../../content/ports.ts'
import { ClientError } from '../../errors.ts'
import { defaultHash } from '../../hash.ts'
import { createLayoutTarget } from '../../layout/layout-target.ts'
import type { ArchiveOptions } from './archive-options.ts'
import { createArchiveOutput } from './archive-output.ts'
import { type DockerImage, dockerManifestFile, maxDockerManifestSize, parseDockerManifest } from './docker-manifest.ts'
import { createDockerStore } from './docker-store.ts'
import { type Archive, openArchive } from './open-archive.ts'

/**
 * Opens what `docker save` writes and `docker load` reads; `-` is standard input or output.
 *
 * Each image has an image manifest: the one it was saved with, where the archive has that, as Docker writes it since version 25
 * and as we do; else one of Docker's kind that is made of the digests, always the same for the same image. Tags are the
 * archive's `RepoTags`, full names as `acme/app:v1`; the tag alone is understood where only one image has it, and no name at
 * all where there is one image.
 *
 * Takes image manifests, not indexes and not artifacts. Layers keep their bytes, whatever their compression: `docker load`
 * unpacks them. What is written is an image layout as well. Writing is as for `openOciArchive`, images that the archive had
 * before stay.
 *
 * @throws {ClientError} `not-found`, `invalid-content`, `denied`, `unsupported`, `too-large`, `aborted`
 */
export const openDockerArchive = async (path: string, options: ArchiveOptions = {}): Promise<Target> => {
  const { create = false, hash = defaultHash, input = process.stdin, output = process.stdout, signal } = options
  const name = `docker-archive:${path}`
  const out = await createArchiveOutput({ path, output, subject: name, create })
  const archive = path === '-' && create ? undefined : await openArchive({ path, input, links: true, signal })
  if (archive === undefined) {
    if (!create) throw new ClientError('not-found', `There is no archive ${path}.`, { subject: name })
    return createLayoutTarget(createDockerStore({ name, hash, output: out, base: undefined }), { hash })
  }
  try {
    const base = { archive, images: await readContents(archive, name) }
    return createLayoutTarget(createDockerStore({ name, hash, output: out, base }), { hash })
  } catch (error) {
    await archive[Symbol.asyncDispose]()
    throw error
  }
}

const readContents = async (archive: Archive, name: string): Promise<readonly DockerImage[]> => {
  const bytes = await archive.readSmall(dockerManifestFile, maxDockerManifestSize)
  if (bytes !== undefined) return parseDockerManifest(bytes, name)
  const isLayout = archive.find('index.json') !== undefined
  throw new ClientError('invalid-content', `${name} is no archive of Docker's: it has no file ${dockerManifestFile}.`, {
    subject: name,
    ...(isLayout ? { hint: 'It looks like an image layout: call it oci-archive:…' } : {}),
  })
}
