import { isDigest } from '@stowage/oci'
import type { Client } from '../client.ts'
import { inParallel } from '../content/in-parallel.ts'
import type { CallOptions } from '../content/ports.ts'
import { createQueueOf, type EventQueue } from '../copy/event-queue.ts'
import { keyOfCopyEvent, worthOfCopyEvent } from '../copy/events.ts'
import { queuedJob } from '../copy/job.ts'
import { toPlatforms } from '../copy/check-options.ts'
import { ClientError, isClientError } from '../errors.ts'
import { toFilter } from './pattern.ts'
import { createPlaces } from './places.ts'
import { isPrefix, pairsOf, planPair } from './plan.ts'
import { openSeries, type Series, type SeriesImage } from './series.ts'
import { syncImage } from './sync-image.ts'
import type {
  SyncClients,
  SyncedImage,
  SyncEvent,
  SyncImage,
  SyncJob,
  SyncOptions,
  SyncResult,
} from './sync-options.ts'

/**
 * Copies all images of a repository, or some, or those of many repositories. Begins at once. What the target has under the same
 * tag already is not copied again; what several images have in common is asked for, and sent, once. An image that fails stops
 * the others only when told to.
 *
 * One that was broken off goes on where it was when it is begun again.
 *
 * @throws {ClientError} `usage`, at once; by `result`, and while events are read: `aborted`, and with `stopOnError` whatever an
 *   image fails with
 */
export const sync = (clients: SyncClients, options: SyncOptions): SyncJob => {
  checkOptions(options)
  const events = createQueueOf<SyncEvent>({ keyOf, worthOf })
  const sides = 'transport' in clients ? { from: clients, to: clients } : clients
  return queuedJob(run(sides, options, events), events)
}

/** Progress of one blob of one image takes the place of what nobody has heard of yet. */
const keyOf = (event: SyncEvent): string | undefined => {
  const key = event.type === 'copy' ? keyOfCopyEvent(event.event) : undefined
  return key === undefined || event.type !== 'copy' ? undefined : `${event.image.from} ${event.image.to} ${key}`
}

/** What became of an image is worth more than all that became of its blobs. */
const worthOf = (event: SyncEvent): number => (event.type === 'copy' ? worthOfCopyEvent(event.event) : 3)

const checkOptions = (options: SyncOptions): void => {
  const pairs = pairsOf(options)
  toPlatforms(options.platforms)
  if (!Array.isArray(options.tags))
    toFilter((options.tags ?? {}) as Exclude<SyncOptions['tags'], readonly string[] | undefined>)
  const targets = new Set<string>()
  for (const { to } of pairs) {
    // Pairs of images may well go to one repository: those have tags of their own.
    if (!isPrefix(to) && typeof options.from !== 'string' && to === options.to && targets.has(to)) {
      throw new ClientError('usage', `Several sources cannot all be ${JSON.stringify(to)}.`, {
        hint: `Write ${to}/ to have each below it, under its own name.`,
      })
    }
    targets.add(to)
  }
}

interface Sides {
  readonly from: Client
  readonly to: Client
}

/** An image with what is known of the place it goes to. */
interface Work {
  readonly series: Series
  readonly wanted: SeriesImage
}

const run = async (sides: Sides, options: SyncOptions, events: EventQueue<SyncEvent>): Promise<SyncResult> => {
  const { concurrency: atOnce = 8, signal, stopOnError = false } = options
  const call: CallOptions = signal === undefined ? {} : { signal }
  const places = createPlaces(sides, options.dryRun === true)
  const images: SyncedImage[] = []
  const end = (image: SyncedImage): void => {
    images.push(image)
    events.push({ type: 'done', image })
  }
  /** What an image failed with, unless that is the end of all. */
  const fail = (image: SyncImage, error: unknown): SyncedImage => {
    if (stopOnError || isClientError(error, 'aborted') || !(error instanceof Error)) throw error
    return { ...image, outcome: 'failed', descriptor: undefined, bytes: 0, error }
  }

  /** Repositories whose registry does not know who asks: asking it for each image would not change that. */
  const unknown = new Map<Series, unknown>()

  async function* works(): AsyncIterable<Work> {
    for (const pair of pairsOf(options)) {
      try {
        for await (const planned of planPair(pair, sides.from, call)) {
          try {
            const series = await openSeries(
              planned,
              await places.source(planned.from),
              await places.target(planned.to),
              options,
              call,
            )
            const { source, target } = series
            events.push({ type: 'listed', from: source.name, to: target.name, images: series.images.length })
            for (const wanted of series.images) yield { series, wanted }
          } catch (error) {
            end(fail(planned, error))
          }
        }
      } catch (error) {
        end(fail(pair, error))
      }
    }
  }

  try {
    const done = inParallel(works(), { atOnce, signal }, async ({ series, wanted }, inner) => {
      const image = {
        from: full(series.source.name, wanted.reference),
        to: full(series.target.name, wanted.tag ?? wanted.reference),
      }
      if (unknown.has(series)) return fail(image, unknown.get(series))
      try {
        return await syncImage(series, wanted, image, { ...options, signal: inner }, events)
      } catch (error) {
        if (inner.aborted) throw error
        if (isClientError(error, 'unauthorized')) unknown.set(series, error)
        return fail(image, error)
      }
    })
    for await (const image of done) end(image)
    await places.finish(call)
  } finally {
    await places[Symbol.asyncDispose]()
  }
  const count = (outcomes: readonly string[]): number =>
    images.filter(({ outcome }) => outcomes.includes(outcome)).length
  return {
    images,
    copied: count(['copied', 'would-copy']),
    existing: count(['existing']),
    failed: count(['failed']),
    bytes: images.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

const full = (name: string, reference: string): string => `${name}${isDigest(reference) ? '@' : ':'}${reference}`
