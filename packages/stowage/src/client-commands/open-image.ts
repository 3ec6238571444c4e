import { type CallOptions, type Client, type OpenedManifest, parsePlatform, readAll } from '@stowage/client'
import { StowageError } from '../failure.ts'
import { nameProblems } from './name-problems.ts'

/** What a reference names; with a platform, what its index has for that. @throws {ClientError} `not-found` */
export const openReference = async (
  client: Client,
  reference: string,
  platform: string | undefined,
  call: CallOptions,
): Promise<OpenedManifest> => {
  // A wrong platform is told before anything is asked.
  const wanted = platform === undefined ? undefined : parsePlatform(platform)
  // A registry may say that anything is a manifest.
  return nameProblems(reference, async () => {
    const opened = await client.open(reference, call)
    return wanted === undefined || opened.kind !== 'index' ? opened : opened.platform(wanted, call)
  })
}

/** What Go calls the machine this runs on. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** The platform whose images run here: Linux, because that is what containers run on Mac and Windows as well. */
export const thisPlatform = (): string => `linux/${architectures[process.arch] ?? process.arch}`

/** One image: of an index, that for the platform, for this machine unless said, or the only one there is. */
export const openImage = async (
  client: Client,
  reference: string,
  platform: string | undefined,
  call: CallOptions,
): Promise<Exclude<OpenedManifest, { kind: 'index' }>> => {
  const opened = await openReference(client, reference, platform, call)
  if (opened.kind !== 'index') return opened
  const runnable = opened.manifest.manifests.filter((child) => child.platform?.os !== 'unknown')
  const [only] = runnable
  const own = runnable.length === 1 ? only?.platform : undefined
  const image = await opened.platform(own ?? parsePlatform(thisPlatform()), call)
  if (image.kind !== 'index') return image
  throw new StowageError('failed', `${reference} is an index of indexes. Name one of them by its digest.`)
}

/** Bytes of a config that are read. */
const configLimit = 8 * 1024 * 1024

/** The config of an image, or whatever an artifact has in its place, byte for byte. */
export const readConfig = async (
  image: Exclude<OpenedManifest, { kind: 'index' }>,
  call: CallOptions,
): Promise<Uint8Array> => {
  const { manifest, source } = image
  if (manifest.kind === 'artifact') {
    throw new StowageError('failed', `${source.name}@${image.descriptor.digest} is an artifact that has no config.`)
  }
  const { config } = manifest
  return readAll(source.getBlob(config, call), configLimit, `the config of ${source.name}`)
}
