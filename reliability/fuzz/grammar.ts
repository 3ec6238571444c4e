import { digestOf } from '../image.ts'
import type { Random } from '../random.ts'
import { type Draft, draft } from './draft.ts'
import { chance, weighted } from './random-choice.ts'
import { tokenRequest } from './token-grammar.ts'
import type { World } from './world.ts'

/** A request as a client of good will would send it, of any route. */
export type Base = (random: Random, world: World) => Draft

export const wellFormed: Base = (random, world) => {
  const request = random.pick(bases)(random, world)
  if (world.credentials.length > 0 && !request.lines.some((line) => line.startsWith('Authorization:'))) {
    if (chance(random, 0.9)) request.lines.push(`Authorization: ${random.pick(world.credentials)}`)
  }
  return request
}

const reading = (random: Random): string => random.pick(['GET', 'GET', 'GET', 'HEAD'])

const page = (random: Random, last: string): string[] => [
  ...(chance(random, 0.5) ? [`n=${random.between(0, 5)}`] : []),
  ...(chance(random, 0.3) ? [`last=${last}`] : []),
]

const ping: Base = (random) => draft(reading(random), random.pick(['/v2/', '/v2']))

const catalog: Base = (random, world) =>
  draft(reading(random), '/v2/_catalog', { query: page(random, encodeURIComponent(random.pick(world.names))) })

const tags: Base = (random, world) =>
  draft(reading(random), `/v2/${random.pick(world.names)}/tags/list`, { query: page(random, random.pick(world.tags)) })

const manifestRead: Base = (random, world) => {
  const reference = chance(random, 0.5) ? random.pick(world.tags) : random.pick(world.manifests).digest
  const request = draft(reading(random), `/v2/${random.pick(world.names)}/manifests/${reference}`)
  if (chance(random, 0.2)) request.lines.push(`If-None-Match: "${random.pick(world.manifests).digest}"`)
  if (chance(random, 0.3)) request.lines.push(`Accept: ${world.manifests.map(({ mediaType }) => mediaType).join(', ')}`)
  return request
}

const manifestPut: Base = (random, world) => {
  const { digest, bytes, mediaType } = random.pick(world.manifests)
  const byTag = chance(random, 0.5)
  const request = draft(
    'PUT',
    `/v2/${random.pick(world.names)}/manifests/${byTag ? random.pick(world.tags) : digest}`,
    { body: bytes },
  )
  if (!byTag && chance(random, 0.4)) request.query.push(...world.tags.map((tag) => `tag=${tag}`))
  // One more than a request may set.
  if (!byTag && chance(random, 0.02)) request.query = Array.from({ length: 101 }, (_, at) => `tag=t${at}`)
  request.lines.push(`Content-Type: ${mediaType}`)
  if (chance(random, 0.1)) request.framing = 'chunked'
  return request
}

const manifestDelete: Base = (random, world) =>
  draft(
    'DELETE',
    `/v2/${random.pick(world.names)}/manifests/${chance(random, 0.7) ? random.pick(world.tags) : random.pick(world.manifests).digest}`,
  )

const blobRead: Base = (random, world) => {
  const { digest, bytes } = random.pick(world.blobs)
  const request = draft(reading(random), `/v2/${random.pick(world.names)}/blobs/${digest}`)
  if (chance(random, 0.5)) {
    const from = random.between(0, Math.max(0, bytes.byteLength - 1))
    request.lines.push(`Range: bytes=${random.pick([`${from}-`, `-${from}`, `${from}-${from + 9}`, '0-0'])}`)
    if (chance(random, 0.3)) request.lines.push(`If-Range: "${digest}"`)
  }
  return request
}

const blobDelete: Base = (random, world) =>
  draft('DELETE', `/v2/${random.pick(world.names)}/blobs/${random.pick(world.blobs).digest}`)

const uploadStart: Base = (random, world) => {
  const { digest, bytes } = random.pick(world.blobs.slice(0, -3))
  const path = `/v2/${random.pick(world.names)}/blobs/uploads/`
  return random.pick([
    () => draft('POST', path, { query: chance(random, 0.2) ? ['digest-algorithm=sha512'] : [] }),
    () => draft('POST', path, { query: [`digest=${encodeURIComponent(digest)}`], body: bytes }),
    () => draft('POST', path, { query: [`mount=${digest}`, `from=${encodeURIComponent(random.pick(world.names))}`] }),
    () => draft('POST', path, { query: [`mount=${digest}`] }),
  ])()
}

const upload: Base = (random, world) => {
  if (world.uploads.length === 0) return uploadStart(random, world)
  const path = random.pick(world.uploads)
  const bytes = random.pick(world.blobs).bytes.subarray(0, 5000)
  const lines = ['Host: registry.test', 'Content-Type: application/octet-stream']
  const patch = draft('PATCH', path, { body: bytes, lines, framing: chance(random, 0.2) ? 'chunked' : 'length' })
  if (chance(random, 0.5)) patch.lines.push(`Content-Range: 0-${Math.max(0, bytes.byteLength - 1)}`)
  return random.pick([
    () => patch,
    () => patch,
    () => draft('PUT', path, { query: [`digest=${encodeURIComponent(digestOf(bytes))}`], body: bytes, lines }),
    () => draft('PUT', path, { query: [`digest=${digestOf(bytes)}`] }),
    () => draft(reading(random), path),
    () => draft(reading(random), path),
    () => draft('DELETE', path),
  ])()
}

const referrers: Base = (random, world) =>
  draft(reading(random), `/v2/${random.pick(world.names)}/referrers/${random.pick(world.manifests).digest}`, {
    query: chance(random, 0.5) ? ['artifactType=application/vnd.example%2Bjson'] : [],
  })

const pages: Base = (random) => {
  const request = draft(reading(random), random.pick(['/healthz', '/healthz', '/readyz', '/']))
  if (chance(random, 0.5)) request.lines.push('Accept: text/html,*/*')
  return request
}

/** Costs the server as much as ten others: rare. */
const metrics: Base = (random) => draft(reading(random), chance(random, 0.1) ? '/metrics' : '/healthz')

const options: Base = (random, world) =>
  draft('OPTIONS', random.pick(['/v2/', `/v2/${random.pick(world.names)}/tags/list`]), {
    lines: ['Host: registry.test', 'Origin: https://app.example', 'Access-Control-Request-Method: PUT'],
  })

const bases = weighted<Base>([
  [8, ping],
  [4, catalog],
  [8, tags],
  [18, manifestRead],
  [4, manifestPut],
  [1, manifestDelete],
  [18, blobRead],
  [1, blobDelete],
  [4, uploadStart],
  [8, upload],
  [8, referrers],
  [6, tokenRequest],
  [3, pages],
  [2, metrics],
  [1, options],
])
