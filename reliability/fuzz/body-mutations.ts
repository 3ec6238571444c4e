import { gzipSync } from 'node:zlib'
import { chance } from './random-choice.ts'
import type { Mutation } from './target-mutations.ts'
import { maxManifestSize } from './world.ts'

/** Ways to spoil a body that leave its length told truly. */
export const bodyMutations: readonly Mutation[] = [
  (request, random) => {
    if (request.body.byteLength === 0) request.body = random.bytes(random.between(1, 500))
    else request.body = request.body.subarray(0, random.between(0, request.body.byteLength))
  },
  (request, random) => {
    const body = Buffer.from(request.body)
    if (body.byteLength > 0) body[random.between(0, body.byteLength - 1)] = random.between(0, 255)
    request.body = body
  },
  (request, random) => {
    request.body = Buffer.from(
      random.pick([
        '{}',
        '[]',
        'null',
        '',
        '{"schemaVersion":2}',
        '{"errors":[]}',
        '[['.repeat(200),
        '{"schemaVersion":2,"layers":'.repeat(50),
        ' '.repeat(maxManifestSize + 1),
        '\ufeff{}',
        '{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}',
      ]),
    )
  },
  (request, random) => {
    request.body = gzipSync(request.body)
    if (chance(random, 0.7)) request.lines.push('Content-Encoding: gzip')
  },
  (request) => {
    request.body = Buffer.concat([request.body, request.body])
  },
]
