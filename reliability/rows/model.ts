import { Worker } from 'node:worker_threads'
import { hasUpkeep } from '../model/run-sequence.ts'
import type { ModelMessage, ModelTask } from '../model/task.ts'
import type { Row, RowContext } from '../row.ts'

const sizes = { small: { sequences: 200, parallel: 300 }, full: { sequences: 10_000, parallel: 20_000 } } as const
const operations = 50
const threads = 2

/** How operations must have been answered at least once: a sequence whose manifests never get in tests little. */
const wanted = [
  'push-blob 201',
  'push-blob 400',
  'mount 201',
  'mount 202',
  'head-blob 200',
  'head-blob 404',
  'get-blob 200',
  'get-blob 206',
  'get-blob 304',
  'get-blob 404',
  'get-blob 416',
  'delete-blob 202',
  'delete-blob 404',
  'delete-blob 405',
  'put-manifest 201',
  'put-manifest 400',
  'get-manifest 200',
  'get-manifest 404',
  'head-manifest 200',
  'delete-manifest 202',
  'delete-manifest 404',
  'list-tags 200',
  'list-tags 404',
  'catalog 200',
  'referrers 200',
  'send-chunk 202',
  'send-chunk 404',
  'send-chunk 416',
  'upload-status 204',
  'cancel-upload 204',
  'finish-upload 201',
  'finish-upload 400',
  'restart 0',
]

/**
 * The sequences are made by a generator of our own and not by fast-check's commands: they have exactly the operations that are asked
 * for, what each is about is chosen when it is made, so that the same plain data runs in memory, on the disk with a restart, and from
 * several clients; and taking runs of it away is all that shrinking needs.
 */
export const model: Row = {
  name: 'model',
  title: 'sequences of operations against a model',
  method:
    'Sequences of 50 operations of the API (blobs in all ways, mounts, ranges, uploads in pieces, manifests, several tags, subjects, ' +
    'lists, deletions, garbage collection without a grace) on a registry and on a model that was written from the specification; one ' +
    'in twenty on the disk with a restart in its middle. Then two to four clients at once, whose answers must have an order in which the ' +
    'model gives them too (linearizability).',
  portable: false,
  run: async (context) => {
    const { sequences, parallel } = sizes[context.size]
    const upkeep = await hasUpkeep()
    const failures: string[] = []
    const reached = new Set<string>()
    await Promise.all(
      Array.from({ length: threads }, async (_, thread) => {
        const from = (sequences / threads) * thread
        await runThread(
          {
            seed: context.seed,
            from,
            to: from + sequences / threads,
            operations,
            parallel: parallel / threads,
            diskEvery: 20,
            heavyEvery: 50,
            upkeep,
            directory: context.directory,
          },
          context,
          (message) => {
            if (message.kind === 'failure') failures.push(message.text)
            else if (message.kind === 'done') for (const what of message.reached) reached.add(what)
            else if (message.sequences % (sequences / threads / 5) === 0)
              context.say(`thread ${thread}: ${message.sequences} sequences`)
          },
        )
      }),
    )
    if (failures.length === 0) {
      const missed = wanted.concat(upkeep ? ['trash 0', 'scrub 0'] : []).filter((what) => !reached.has(what))
      if (missed.length > 0) failures.push(`never seen: ${missed.join(', ')}`)
    }
    return {
      figures: {
        sequences,
        operations: sequences * operations,
        'on the disk, with a restart': Math.ceil(sequences / 20),
        'garbage collection': upkeep ? 'yes' : 'not there',
        'parallel histories': parallel,
        differences: failures.length,
      },
      failures,
    }
  },
}

const runThread = async (
  task: ModelTask,
  { signal }: RowContext,
  onMessage: (message: ModelMessage) => void,
): Promise<void> => {
  signal.throwIfAborted()
  const worker = new Worker(new URL('../model/model-worker.ts', import.meta.url), { workerData: task })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let done = false
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  worker.on('message', (message: ModelMessage) => {
    onMessage(message)
    done ||= message.kind === 'done'
  })
  worker.on('error', reject)
  worker.on('exit', () => (done ? resolve() : reject(new Error('A thread of the model ended before its end.'))))
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', abort)
    await worker.terminate()
  }
}
