import {
  isClientError,
  sync as syncImages,
  type SyncedImage,
  type SyncEvent,
  type SyncOptions,
  type SyncPair,
} from '@stowage/client'
import { mistakenReference } from '../command-line/mistaken-reference.ts'
import { locationOf, type Place } from '../command-line/places.ts'
import { exitCodes, type Failure, StowageError } from '../failure.ts'
import { approximately } from '../terminal/bytes.ts'
import type { Progress } from '../terminal/progress.ts'
import { explain } from '../command-line/explain.ts'
import type { Tools } from './tools.ts'

/** A repository without what may stand behind it: `-a` means all of it. @throws {StowageError} `usage` */
export const splitTag = (text: string): string => {
  if (locationOf(text).reference === undefined) return text
  throw new StowageError('usage', `${text} is one image; with --all-tags write the repository alone.`)
}

/**
 * Runs a sync, shows what is under way, and prints each image that was copied, or would be.
 *
 * @throws {StowageError} when an image failed: what is said of each was said before
 */
export const runSync = async (
  { connectSides, shared, output, progress, call }: Tools,
  options: SyncOptions,
): Promise<void> => {
  const pairs: readonly (string | SyncPair)[] = typeof options.from === 'string' ? [options.from] : options.from
  const froms = pairs.map((pair) => placeOf(typeof pair === 'string' ? pair : pair.from))
  const tos = [...pairs.flatMap((pair) => (typeof pair === 'string' ? [] : [pair.to])), options.to ?? []].flat()
  const clients = await connectSides(froms, tos.map(placeOf))
  const { concurrency } = shared
  const job = syncImages(clients, {
    ...options,
    signal: call.signal,
    ...(concurrency === undefined ? {} : { blobConcurrency: concurrency }),
  })
  await followSync(job, progress, output)
  const { images, ...counts } = await job.result
  const changed = images.filter(({ outcome }) => outcome === 'copied' || outcome === 'would-copy')
  const value = { ...counts, dryRun: options.dryRun === true, images: images.map(toValue) }
  await output.result(value, changed.map(referenceOf).toSorted().join('\n'))
  if (images.length === 0) throw nothingFound(froms.length)
  output.line(summaryOf(counts, options.dryRun === true))
  const failed = images.filter(({ outcome }) => outcome === 'failed')
  if (failed.length > 0) throw failureOf(failed, images.length)
}

/** What is asked of the client for a place that need not be a whole reference. */
const placeOf = (text: string): Place => {
  const mistaken = mistakenReference(text)
  if (mistaken !== undefined) throw mistaken
  if (/^(?:ocidir|oci|oci-archive|docker-archive|memory):/.test(text)) return text
  const [, scheme = '', rest = ''] = /^(https?:\/\/|docker:\/\/)?(.*)$/s.exec(text) ?? []
  const [first = '', ...more] = rest.split('/')
  const isRegistry = more.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  return { registry: `${scheme}${isRegistry ? first : 'docker.io'}` }
}

const followSync = async (
  job: AsyncIterable<SyncEvent>,
  progress: Progress,
  { line, error: say, isTerminal, asText }: Tools['output'],
): Promise<void> => {
  // One row for each image: its blobs would be many, and are small.
  const sent = new Map<string, Map<string, number>>()
  for await (const event of job) {
    if (event.type === 'listed') line(`${event.from}: ${event.images} ${event.images === 1 ? 'image' : 'images'}`)
    else if (event.type === 'copy') {
      const { to } = event.image
      if (!sent.has(to)) progress.begin(to, undefined, to)
      const blobs = sent.get(to) ?? new Map<string, number>()
      sent.set(to, blobs)
      if (event.event.type === 'missing')
        line(`not there: ${event.event.descriptor.digest}, though ${event.image.from} lists it as a referrer`)
      if (event.event.type === 'retry') line(`trying again: ${event.event.error.message}`)
      if (event.event.type !== 'progress') continue
      blobs.set(event.event.descriptor.digest, event.event.sent)
      progress.move(
        to,
        [...blobs.values()].reduce((sum, bytes) => sum + bytes, 0),
      )
    } else {
      const { to, from, outcome, error } = event.image
      // On a terminal the result would say the same again.
      const isResult = outcome === 'copied' || outcome === 'would-copy'
      progress.done(to, outcome, isTerminal && asText && isResult)
      sent.delete(to)
      if (error !== undefined) say(`failed    ${problemOf(from, error)}`)
    }
  }
}

/** The message may name the image itself. */
const problemOf = (from: string, error: unknown): string => {
  const said = explain(error, { twoSided: true }).lines.join(' ')
  return said.startsWith(from) ? said : `${from}: ${said}`
}

const nothingFound = (sources: number): StowageError =>
  new StowageError(
    'not-found',
    `There is no image to copy: nothing in ${sources === 1 ? 'the source' : 'the sources'} matches.`,
    {
      hint: 'See what there is: stowage ls REPOSITORY, stowage catalog REGISTRY. Look at --include and --exclude.',
    },
  )

/** Failures that may be over the next time. */
const passing: ReadonlySet<number> = new Set([exitCodes.network, exitCodes['rate-limited']])

const mayPass = ({ error }: SyncedImage): boolean =>
  passing.has(explain(error).code) || isClientError(error, 'registry-failed')

const referenceOf = ({ to, descriptor }: SyncedImage): string =>
  descriptor === undefined || to.endsWith(descriptor.digest) ? to : `${to}@${descriptor.digest}`

const toValue = ({ from, to, outcome, descriptor, bytes, error }: SyncedImage): Readonly<Record<string, unknown>> => ({
  from,
  to,
  outcome,
  bytes,
  ...(descriptor === undefined ? {} : { digest: descriptor.digest }),
  ...(error === undefined ? {} : { error: error.message }),
})

const summaryOf = (
  { copied, existing, failed, bytes }: { copied: number; existing: number; failed: number; bytes: number },
  dry: boolean,
): string =>
  [
    `${copied} ${dry ? 'would be copied' : 'copied'} (${approximately(bytes)})`,
    `${existing} there already`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
  ].join(', ')

/** With the exit code that all of them have in common. */
const failureOf = (failed: readonly SyncedImage[], all: number): StowageError => {
  const codes = new Set(failed.map(({ error }) => explain(error).code))
  const [only] = codes
  const name = Object.entries(exitCodes).find(([, code]) => codes.size === 1 && code === only)?.[0] ?? 'failed'
  const again = { hint: 'Run the same command again for those: what is there is not sent again.' }
  const message = `${failed.length} of ${all} ${all === 1 ? 'image' : 'images'} failed.`
  return new StowageError(name as Failure, message, failed.some(mayPass) ? again : {})
}
