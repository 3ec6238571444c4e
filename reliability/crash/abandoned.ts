import { CutError } from '../http.ts'
import { contentOf } from '../image.ts'
import { beginUpload } from './pushes.ts'
import { type Worker, write } from './worker.ts'

const octets = { 'content-type': 'application/octet-stream' }

/** Sends some and never comes back, or hangs up in the middle of the last request. */
export const abandonUpload = async (worker: Worker, repository: string): Promise<void> => {
  const { client, random, layers } = worker
  const location = await beginUpload(worker, repository)
  if (location === undefined) return
  const { bytes, digest } = layers.fresh(random)
  if (random.next() < 0.5) {
    await client.send('PATCH', location, { headers: octets, body: bytes.subarray(0, bytes.byteLength / 2) })
    return
  }
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`
  const signal = AbortSignal.timeout(random.between(1, 5))
  await write(
    worker,
    { kind: 'put-blob', repository, digest },
    async () => client.send('PUT', path, { headers: octets, body: bytes, signal }),
    201,
  )
}

/** What is pushed under a digest that is not its own must not be there afterwards. */
export const pushWrongDigest = async (worker: Worker, repository: string): Promise<void> => {
  const { client, random, layers, findings } = worker
  const location = await beginUpload(worker, repository)
  if (location === undefined) return
  const { digest } = contentOf(random.bytes(32))
  const { bytes } = layers.fresh(random)
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`
  const answer = await write(
    worker,
    { kind: 'put-blob', repository, digest },
    async () => client.send('PUT', path, { headers: octets, body: bytes }),
    201,
  )
  if (answer === undefined) throw new CutError('The push of a blob was cut off.')
  if (answer.status === 201)
    findings.add('I5', digest, `a blob was taken under ${digest}, which is not the digest of its bytes`)
}
