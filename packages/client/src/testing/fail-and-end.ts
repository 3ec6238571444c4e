/**
 * A program that does with a registry what goes wrong, and then has nothing more to do. Whoever starts it sees whether it ends.
 *
 * Arguments: the registry, and `dispose` or `forget`.
 */
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { ClientError } from '../errors.ts'
import { createClient } from '../node/create-client.ts'
import { putSample, sample, sampleImage } from './sample-images.ts'

const [, , registry = '', ending = ''] = process.argv
const timeouts = { idle: 100, answer: 100 }
const client = createClient({
  credentials: () => undefined,
  proxy: false,
  hosts: { [registry]: { plainHttp: true, concurrency: 2, retry: { attempts: 2, maxDelay: 10 }, timeouts } },
})

let failed = 0
/** Nothing but our own errors. Some of it works, in some places. */
const fails = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    failed++
  }
}

const image = sampleImage({ layers: ['x'.repeat(200_000), 'y'.repeat(200_000)] })
const { target } = await client.target('memory:m')
await putSample(target, image, 'v1')
const { descriptor, bytes } = sample('a/b', 'z'.repeat(2_000_000))

for (const what of ['hang', 'cut', 'fail', 'reset', 'slow']) {
  const repository = client.repository(`${registry}/${what}/app`)
  await fails(repository.resolve('v1'))
  await fails(collect(repository.getBlob(descriptor)))
  await fails(repository.putBlob(descriptor, bytesContent(bytes)))
  await fails(client.copy('memory:m:v1', `${registry}/${what}/app:v1`).result)
  await fails(collect(client.copy('memory:m:v1', `${registry}/${what}/app:v1`)))
  // Nobody waits for these.
  client.copy('memory:m:v1', `${registry}/${what}/app:v1`).result.catch(() => {})
  const stop = new AbortController()
  const stopped = client.copy('memory:m:v1', `${registry}/${what}/app:v1`, { signal: stop.signal })
  setTimeout(() => stop.abort(), 20)
  await fails(stopped.result)
}
if (ending === 'dispose') await client[Symbol.asyncDispose]()
process.stdout.write(failed > 25 ? 'nothing more to do' : `only ${failed} failed`)
