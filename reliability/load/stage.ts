import { randomFillSync } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createHttpClient } from '../http.ts'
import { contentOf, imageOf, pushBlob, pushManifest } from '../image.ts'
import type { RowContext } from '../row.ts'
import type { ProbeReport, ProbeTask } from './probe-driver.ts'
import { type Driver, startDriver } from './driver.ts'
import { startRegistry } from './start.ts'

/** What all phases share: a repository with one image, and a file with the bytes of its layer. */
export interface Stage extends Pick<RowContext, 'registry' | 'directory' | 'signal' | 'say'> {
  readonly small: boolean
  readonly repository: string
  /** Paths of what is pulled. */
  readonly blob: string
  readonly manifest: string
  /** Random bytes: the layer is the first `blobSize` of them. */
  readonly file: string
  readonly blobSize: number
}

/** What a phase found. */
export interface PhaseOutcome {
  readonly figures: Readonly<Record<string, number | string>>
  readonly failures: readonly string[]
}

const MiB = 1024 * 1024
const repository = 'load/images'

/** The largest that is pushed, bytes; a pushed blob is a part of the same file. */
export const pushSize = (small: boolean): number => (small ? 8 : 100) * MiB

export const setStage = async ({ size, registry, directory, signal, say }: RowContext): Promise<Stage> => {
  const small = size === 'small'
  const blobSize = (small ? 8 : 64) * MiB
  const bytes = randomFillSync(Buffer.allocUnsafe(pushSize(small)))
  const file = join(directory, 'content')
  await using handle = await open(file, 'w')
  await handle.writeFile(bytes)
  const image = imageOf('load', [contentOf(bytes.subarray(0, blobSize))])
  await using server = await startRegistry(registry, { directory })
  using client = createHttpClient(server.url)
  for (const content of [image.config, ...image.layers]) expect(201, await pushBlob(client, repository, content))
  expect(201, await pushManifest(client, repository, 'latest', image.manifest))
  const [layer] = image.layers
  if (layer === undefined) throw new Error('The image has no layer.')
  return {
    registry,
    directory,
    signal,
    say,
    small,
    repository,
    blob: `/v2/${repository}/blobs/${layer.digest}`,
    manifest: `/v2/${repository}/manifests/${image.manifest.digest}`,
    file,
    blobSize,
  }
}

/** Eight clients that pull a manifest a hundred times a second, or as fast as they can when `rest` is 0. */
export const startProbe = async (
  { manifest }: Stage,
  url: string,
  load: Partial<Pick<ProbeTask, 'connections' | 'rest'>> = {},
): Promise<Driver<ProbeReport>> => {
  const task: ProbeTask = { url, path: manifest, connections: 8, rest: 80, ...load }
  return startDriver<ProbeReport>('probe-driver', task)
}

export const expect = (status: number, answer: { readonly status: number }): void => {
  if (answer.status !== status) throw new Error(`Instead of ${status} the registry answered ${answer.status}.`)
}

/** The first few of many, and how many there are. */
export const summarize = (what: string, errors: readonly string[]): string[] =>
  errors.length === 0 ? [] : [`${what}: ${errors.length} errors, the first: ${errors.slice(0, 3).join('; ')}`]

export const overBound = (what: string, peak: number, bound: number): string[] =>
  peak <= bound ? [] : [`${what}: ${peak.toFixed(0)} MiB were resident, of at most ${bound}`]

export const rounded = (value: number, digits = 0): number => Number(value.toFixed(digits))

/** The figure of the event loop for a registry that tells it. */
export const loopFigure = (what: string, loop: number | undefined): Record<string, number> =>
  loop === undefined ? {} : { [`${what}: event loop p99, ms`]: rounded(loop, 1) }
