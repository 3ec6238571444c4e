/**
 * A program whose jobs fail. Whoever starts it sees whether the runtime reports that.
 *
 * Arguments: what is done with the jobs, and their kinds.
 */
import { pushArtifact } from '../artifact/push-artifact.ts'
import { createClient } from '../client.ts'
import { copy } from '../copy/copy.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { sync } from '../sync/sync.ts'

const [, , how = '', ...kinds] = process.argv
const client = createClient()
const target = createMemoryTarget()
const jobs = {
  client: () => client.copy('memory:nothing:v1', 'memory:to:v1'),
  copy: () => copy({ source: createMemoryTarget(), reference: 'v1' }, { target }),
  artifact: () => pushArtifact(target, {}),
  sync: () => sync(client, { from: 'memory:nothing:v1', to: 'memory:to', stopOnError: true }),
}

for (const kind of kinds) {
  const job: AsyncIterable<unknown> & { readonly result: Promise<unknown> } = jobs[kind as keyof typeof jobs]()
  // What an async function returns is awaited, and stays a job.
  if (how === 'awaited') await (async () => job)()
  if (how === 'caught') await job.result.catch(() => {})
  if (how === 'left') void job[Symbol.asyncIterator]()
  if (how !== 'iterated') continue
  try {
    for await (const _ of job) continue
    process.exitCode = 2
  } catch {
    // That is where it is told.
  }
}
