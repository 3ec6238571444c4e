import {
  type CallOptions,
  type Client,
  describePlatform,
  matchesPlatform,
  type OpenedManifest,
  parsePlatform,
  readAll,
} from '@stowage/client'
import type { Platform } from '@stowage/oci'
import { StowageError } from '../failure.ts'
import { nameProblems } from './name-problems.ts'
import type { Tools } from './tools.ts'

/** What a reference names; with a platform, what its index has for that. Open until the command ends. @throws {ClientError} `not-found` */
export const openReference = async (
  client: Client,
  reference: string,
  platform: string | undefined,
  { keep, call }: Pick<Tools, 'keep' | 'call'>,
): Promise<OpenedManifest> => {
  // A wrong platform is told before anything is asked.
  const wanted = platform === undefined ? undefined : parsePlatform(platform)
  // A registry may say that anything is a manifest.
  return nameProblems(reference, async () => {
    const opened = keep(await client.open(reference, call))
    if (wanted === undefined) return opened
    if (opened.kind === 'index') return opened.platform(wanted, call)
    await checkPlatform(opened, [wanted], call)
    return opened
  })
}

/**
 * Whether one image, which no index tells the platform of, is for one of those that are wanted: its config says so. What says
 * nothing of a platform, as artifacts, is for all.
 *
 * @throws {StowageError} `not-found`, naming the platform that it is for
 */
export const checkPlatform = async (
  opened: OpenedManifest,
  wanted: readonly Platform[],
  call: CallOptions,
): Promise<void> => {
  if (opened.kind !== 'image' || wanted.length === 0) return
  const { os, architecture, variant, ...rest } = await opened.config(call)
  if (os === undefined || architecture === undefined) return
  const version = rest['os.version']
  const own: Platform = {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
  }
  if (wanted.some((platform) => matchesPlatform(own, platform))) return
  const name = `${opened.source.name}@${opened.descriptor.digest}`
  throw new StowageError('not-found', `${name} has nothing for ${wanted.map(describePlatform).join(', ')}.`, {
    hint: `It is one image, for ${describePlatform(own)}.`,
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
  tools: Pick<Tools, 'keep' | 'call'>,
): Promise<Exclude<OpenedManifest, { kind: 'index' }>> => {
  const opened = await openReference(client, reference, platform, tools)
  if (opened.kind !== 'index') return opened
  const runnable = opened.manifest.manifests.filter((child) => child.platform?.os !== 'unknown')
  const [only] = runnable
  const own = runnable.length === 1 ? only?.platform : undefined
  const image = await opened.platform(own ?? parsePlatform(thisPlatform()), tools.call)
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
