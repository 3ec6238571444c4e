import { createHash } from 'node:crypto'
import { createRegistry } from '@stowage/registry'
import { sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import type { Logger } from '../logger.ts'
import { createDice, type Dice, firstSeed, isOciError, volume } from '../testing/fuzzing.ts'

const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const ociIndex = 'application/vnd.oci.image.index.v1+json'
const image = sample.image('fuzzed')

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

const seeds = (): Json[] => {
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: image.config.digest,
    size: image.config.bytes.byteLength,
  }
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: image.layer.digest,
    size: image.layer.bytes.byteLength,
  }
  const child = {
    mediaType: ociManifest,
    digest: image.digest,
    size: image.manifest.byteLength,
    platform: { architecture: 'amd64', os: 'linux', 'os.features': ['x'], variant: 'v8' },
  }
  const annotations = { 'org.opencontainers.image.title': 'a', b: '' }
  return [
    {
      schemaVersion: 2,
      mediaType: ociManifest,
      artifactType: 'a/b',
      config,
      layers: [layer, { ...layer, urls: ['https://x.example/'] }],
      annotations,
    },
    { schemaVersion: 2, config, layers: [layer], subject: child, annotations },
    {
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [child, { ...child, artifactType: 'c/d', data: 'e30=', size: 2 }],
      annotations,
    },
    { schemaVersion: 2, mediaType: ociIndex, manifests: [], subject: child },
    { schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.v2+json', config, layers: [layer] },
    { schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json', manifests: [child] },
    { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', artifactType: 'a/b', blobs: [layer], subject: child },
    { schemaVersion: 1, name: 'a', fsLayers: [], history: [] },
  ]
}

const strange: readonly Json[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  1e21,
  2 ** 53,
  Number.MAX_SAFE_INTEGER,
  '',
  'x',
  '\u0000',
  '\ud800',
  '層',
  '<script>',
  '__proto__',
  'x'.repeat(2000),
  [],
  {},
  [[]],
  [{}],
  { a: 1 },
  [null],
  image.digest,
  ociIndex,
  'text/html',
  'sha256:',
  'application/vnd.oci.empty.v1+json',
]

/** A copy of the document that differs from it in one place. */
const mutated = (value: Json, dice: Dice): Json => {
  const { below, pick, chance } = dice
  if (value === null || typeof value !== 'object' || chance(0.15)) return pick(strange)
  if (Array.isArray(value)) {
    const copy = [...value]
    const at = below(copy.length + 1)
    const found = copy[at]
    if (found === undefined || chance(0.2))
      copy.splice(at, below(2), ...Array.from({ length: below(3) }, () => pick(strange)))
    else copy[at] = mutated(found, dice)
    return copy
  }
  const entries = Object.entries(value)
  const at = below(entries.length + 1)
  const entry = entries[at]
  if (entry === undefined)
    entries.push([
      pick([
        'config',
        'layers',
        'manifests',
        'blobs',
        'subject',
        'mediaType',
        'annotations',
        'Size',
        '__proto__',
        'constructor',
        'x',
        '',
      ]),
      pick(strange),
    ])
  else if (chance(0.15)) entries.splice(at, 1)
  else if (chance(0.1)) entry[0] = pick(['x', entry[0].toUpperCase(), `${entry[0]} `, '__proto__'])
  else entry[1] = mutated(entry[1], dice)
  return Object.fromEntries(entries)
}

/** The text of the document, in one of the ways in which one can write it, now and then broken. */
const written = (value: Json, dice: Dice): Buffer => {
  const { below, pick, chance } = dice
  let text = JSON.stringify(value, null, pick([undefined, 1, '\t']))
  if (chance(0.1))
    text = text.replace(/"(size|digest|mediaType|layers)":/, (key) => `${key}${pick(['0', '""', 'null'])},${key}`)
  if (chance(0.05)) text = text.replace(/\d+/, pick(['1e3', '1.0', '00', '-0', '9'.repeat(30), '0x10', 'NaN']))
  if (chance(0.05)) text = pick(['[', '{"a":', '[{"a":']).repeat(1 + below(200)) + text
  let bytes = Buffer.from(text)
  if (chance(0.08) && bytes.length > 0) bytes = bytes.subarray(0, below(bytes.length))
  if (chance(0.08) && bytes.length > 0) bytes[below(bytes.length)] = below(256)
  if (chance(0.03))
    bytes = Buffer.concat([pick([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('\0'), Buffer.from(' ')]), bytes])
  return bytes
}

const loud = (): { logger: Logger; errors: string[] } => {
  const errors: string[] = []
  const quiet = (): void => {}
  const error = (facts: object, message: string): void =>
    void errors.push(`${message} ${'err' in facts ? String(facts.err) : ''}`)
  return { logger: { debug: quiet, info: quiet, warn: quiet, error }, errors }
}

describe('manifests as nobody should write them', () => {
  it(
    `are refused with a reason, or served as they came (${volume} from seed ${firstSeed})`,
    { timeout: 30_000 + 20 * volume },
    async () => {
      const { logger, errors } = loud()
      await using registry = await createRegistry({
        storage: ':memory:',
        logger,
        manifests: { allowMissingBlobs: true },
      })
      const send = async (method: string, target: string, body?: Buffer, type?: string): Promise<Response> =>
        registry.fetch(
          new Request(`http://registry.test${target}`, {
            method,
            ...(body === undefined ? {} : { body: new Uint8Array(body) }),
            headers: type === undefined ? {} : { 'content-type': type },
          }),
        )
      const dice = createDice(firstSeed)
      const documents = seeds()
      let accepted = 0
      for (let at = 0; at < volume; at++) {
        let document = dice.pick(documents)
        for (let times = dice.below(4); times > 0; times--) document = mutated(document, dice)
        const body = written(document, dice)
        const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
        const declared = /"mediaType":\s*"([^"\\]+)"/.exec(body.toString())?.[1]
        const type = dice.pick([undefined, declared, declared, ociManifest, ociIndex, 'application/json'])
        const target = `/v2/a/manifests/${dice.pick(['tag', digest])}`
        const answer = await send(
          'PUT',
          target,
          body,
          type !== undefined && /^[\x20-\x7e]+$/.test(type) ? type : undefined,
        )
        const failed = (): Error =>
          new Error(`document ${at} of seed ${firstSeed}: ${answer.status}\n${type ?? ''}\n${body.toString()}`)
        if (answer.status === 201) {
          accepted += 1
          const served = await send('GET', `/v2/a/manifests/${digest}`)
          if (served.status !== 200 || Buffer.compare(await served.bytes(), body) !== 0) throw failed()
        } else if (answer.status >= 500 || !isOciError(await answer.text())) throw failed()
      }
      expect(errors).toEqual([])
      // Both ways were taken.
      expect(accepted).toBeGreaterThan(volume / 20)
      expect(accepted).toBeLessThan((volume * 19) / 20)
      // What was accepted makes no list fail.
      for (const target of ['/v2/a/tags/list', `/v2/a/referrers/${image.digest}`, '/v2/_catalog']) {
        const list = await send('GET', target)
        expect([target, list.status, typeof (await list.json())]).toEqual([target, 200, 'object'])
      }
    },
  )
})
