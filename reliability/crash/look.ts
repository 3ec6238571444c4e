import { CutError, type HttpAnswer, type HttpClient } from '../http.ts'
import { digestOf, imageType } from '../image.ts'
import { absent, type ObjectKey, partsOf, present } from './objects.ts'

/** What an object is when one looks at it. */
export interface Sight {
  /** In the sense of its register; `broken` when it is neither there nor gone. */
  readonly value: string
  /** What is wrong, if it is broken. */
  readonly problem?: string
  /** Whether it was a clean answer that had the wrong bytes. */
  readonly wrongBytes?: boolean
  readonly bytes?: Buffer
}

export const broken = 'broken'

export const pathOf = (key: ObjectKey): string => {
  const { kind, repository, name } = partsOf(key)
  return `/v2/${repository}/${kind === 'blob' ? 'blobs' : 'manifests'}/${name}`
}

/** Reads it whole and compares it with its digest. Rejects with a `CutError` when the server is gone. */
export const look = async (client: HttpClient, key: ObjectKey): Promise<Sight> => {
  const { kind, name } = partsOf(key)
  let answer: HttpAnswer
  try {
    answer = await client.send('GET', pathOf(key), { headers: { accept: imageType } })
  } catch (error) {
    if (!(error instanceof CutError)) throw error
    // Whether it is the server that is gone. If not: an answer with missing bytes has to be cut off.
    await client.send('GET', '/v2/')
    return { value: broken, problem: 'GET was cut off' }
  }
  if (answer.status === 404) return { value: absent }
  if (answer.status !== 200) return { value: broken, problem: `GET was answered ${answer.status} ${bodyOf(answer)}` }
  const digest = digestOf(answer.body)
  const named = answer.headers['docker-content-digest']
  if (kind === 'tag') {
    if (named === digest) return { value: digest, bytes: answer.body }
    const problem = `GET gave ${answer.body.byteLength} bytes with ${digest}, and called them ${String(named)}`
    return { value: broken, problem, wrongBytes: true }
  }
  if (digest === name) return { value: present, bytes: answer.body }
  const problem = `GET gave ${answer.body.byteLength} bytes with ${digest}`
  return { value: broken, problem, wrongBytes: true }
}

const bodyOf = ({ body }: HttpAnswer): string => body.subarray(0, 200).toString().trim()
