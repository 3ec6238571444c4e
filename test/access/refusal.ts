import type { Answer } from './client.ts'
import type { Case } from './matrix.ts'

const challenge = /^Bearer realm="http:\/\/127\.0\.0\.1:\d+\/auth\/token",service="stowage",scope="([a-z]+:[^"]+)"/

/** What every refusal has to be, whoever is refused; undefined when it is. */
export const wrongInRefusal = (answer: Answer, { variant, credential }: Case): string | undefined => {
  const { status, headers, body } = answer
  if (status >= 500) return 'no error of the server'
  const login = headers['www-authenticate']
  if (status === 401 && !challenge.test(login ?? '')) return 'a challenge that every client can read'
  if (status !== 401 && login !== undefined) return 'no challenge'
  if (status === 405 && headers['allow'] === undefined) return 'the methods that there are'
  if (headers['location'] !== undefined || headers['range'] !== undefined) return 'no word of an upload'
  if (headers['docker-content-digest'] !== undefined) return 'no digest'
  if (variant.wanted.method === 'HEAD') return undefined
  try {
    const { errors } = JSON.parse(body) as { errors: { code: string; message: string }[] }
    if (!/^[A-Z_]+$/.test(errors[0]?.code ?? '')) return 'a code'
  } catch {
    return 'JSON'
  }
  const mayKnow = credential.transport.credential === 'taken' || status === 404
  if (!mayKnow && /sha256:|absent|acme|globex/.test(body)) return 'no word of what was asked for'
  return undefined
}
