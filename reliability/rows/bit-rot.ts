import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { problemsOf, scrubAll } from '../bit-rot/command.ts'
import { type Damage, damages, inject } from '../bit-rot/inject.ts'
import { injectManifests } from '../bit-rot/inject-manifests.ts'
import { createHttpClient, CutError, type HttpClient } from '../http.ts'
import { type Content, contentOf, type Image, imageOf, pushBlob, pushManifest } from '../image.ts'
import { startRegistry } from '../load/start.ts'
import { createRandom } from '../random.ts'
import type { Row } from '../row.ts'

const sizes = {
  small: { images: 60, damaged: 100, manifests: 20 },
  full: { images: 500, damaged: 1000, manifests: 20 },
} as const

const layersPerImage = 4
const repository = 'rot/images'

export const bitRot: Row = {
  name: 'bit-rot',
  title: 'stored bytes that go bad: found, not given out, mended by a push',
  method:
    'Files of blobs are damaged where they are while the registry runs: a flipped bit, truncated, emptied, zeroed, deleted, ' +
    'extended; and manifests in the database while it is stopped. Some are pulled before anybody looks. A scrub must find each ' +
    'of them and nothing else; then each is answered 404, manifests that need one are refused, a push brings it back, and the ' +
    'doctor, who reads everything, finds nothing.',
  portable: false,
  run: async ({ size, registry, directory, seed, say, signal }) => {
    const { images: count, damaged, manifests } = sizes[size]
    const random = createRandom(seed)
    const data = join(directory, 'data')
    const failures: string[] = []
    const expect = (holds: boolean, sentence: string): void => {
      if (!holds) failures.push(sentence)
    }
    const images = Array.from({ length: count }, (_, index) => {
      const layers = Array.from({ length: layersPerImage }, () => contentOf(random.bytes(sizeOf(random.next()))))
      return imageOf(`${seed} ${index}`, layers)
    })
    const blobs = images.flatMap(({ layers }) => layers)
    const push = async (client: HttpClient, content: Content): Promise<void> => {
      const { status } = await pushBlob(client, repository, content)
      expect(status === 201, `a push of ${content.digest} was answered ${status}`)
    }

    /** Blobs that were damaged, and how. */
    const injected = new Map<string, Damage>()
    let wrongBytes = 0
    let quarantinedByPull = 0
    let found = 0
    let foundWrongly = 0
    let healed = 0
    {
      await using server = await startRegistry(registry, { directory })
      using client = createHttpClient(server.url, { maxSockets: 16 })
      for (const image of images) {
        await Promise.all([image.config, ...image.layers].map(async (content) => push(client, content)))
        const { status } = await pushManifest(client, repository, image.manifest.digest, image.manifest)
        expect(status === 201, `a manifest was answered ${status}`)
        signal.throwIfAborted()
      }
      // A registry that has files open, and the beginnings of some in memory, must not believe those.
      for (const content of blobs.slice(0, 200)) await ask(client, 'GET', content)

      const files = await filesOf(data)
      const victims = blobs.toSorted(() => random.next() - 0.5).slice(0, damaged)
      for (const [index, { digest }] of victims.entries()) {
        const damage = damages[index % damages.length] ?? 'deleted'
        const path = files.get(digest)
        if (path === undefined) throw new Error(`${digest} has no file.`)
        await inject(path, damage, random)
        injected.set(digest, damage)
      }
      say(`${injected.size} of ${blobs.length} blobs are damaged`)

      // Before anybody has looked, nothing is promised of flipped bits, which the client finds by the digest. But what comes
      // is never of another length: it is cut, or refused.
      for (const content of victims.filter((_, index) => index % 2 === 0)) {
        try {
          const { status, body } = await client.send('GET', `/v2/${repository}/blobs/${content.digest}`)
          if (status !== 200) continue
          expect(
            body.byteLength === content.bytes.byteLength,
            `a pull of a blob (${injected.get(content.digest)}) ended cleanly with ${body.byteLength} of ${content.bytes.byteLength} bytes`,
          )
          if (!body.equals(content.bytes)) wrongBytes += 1
        } catch (error) {
          if (!(error instanceof CutError)) throw error
        }
      }
      const gone = new Set<string>()
      for (const content of victims) if ((await ask(client, 'HEAD', content)) === 404) gone.add(content.digest)
      quarantinedByPull = gone.size

      const { corrupt, incomplete } = await scrubAll(data, signal)
      expect(!incomplete, 'the scrub did not come to its end')
      const named = new Set(corrupt.map(({ digest }) => digest))
      for (const [digest, damage] of injected) {
        if (named.has(digest) || gone.has(digest)) found += 1
        else failures.push(`the scrub did not find ${digest} (${damage})`)
      }
      for (const digest of named) {
        if (injected.has(digest)) continue
        foundWrongly += 1
        failures.push(`the scrub calls ${digest} corrupt, and nobody touched it`)
      }

      await askAll(client, blobs, async (content, status) => {
        const bad = injected.has(content.digest)
        expect(status === (bad ? 404 : 200), `${bad ? 'a damaged' : 'a good'} blob was answered ${status}`)
      })
      await refuseManifests(client, images, injected, expect)
      for (const content of victims) await push(client, content)
      await askAll(client, blobs, async (content, status, body) => {
        const right = status === 200 && body.equals(content.bytes)
        expect(right, `${content.digest} was pushed again, and a pull was answered ${status}`)
        if (right && injected.has(content.digest)) healed += 1
      })
      failures.push(...(await problemsOf(data, signal)))
    }

    const chosen = images.slice(0, manifests).map(({ manifest }) => manifest)
    injectManifests(
      data,
      chosen.map(({ digest }) => digest),
      random,
    )
    let foundManifests = 0
    let healedManifests = 0
    {
      await using server = await startRegistry(registry, { directory })
      using client = createHttpClient(server.url)
      const early = new Set<string>()
      for (const manifest of chosen.slice(0, manifests / 2)) {
        const { status, body } = await client.send('GET', `/v2/${repository}/manifests/${manifest.digest}`)
        expect(
          status !== 200 || body.equals(manifest.bytes),
          `a pull of a damaged manifest ended cleanly with wrong bytes`,
        )
        if (status === 404) early.add(manifest.digest)
      }
      const { corrupt } = await scrubAll(data, signal)
      const named = new Set(corrupt.map(({ digest }) => digest))
      for (const { digest } of chosen) {
        if (named.has(digest) || early.has(digest)) foundManifests += 1
        else failures.push(`the scrub did not find the damaged manifest ${digest}`)
      }
      for (const digest of named)
        expect(
          chosen.some((manifest) => manifest.digest === digest),
          `the scrub calls the manifest ${digest} corrupt`,
        )
      for (const manifest of chosen) {
        const status = await ask(client, 'HEAD', manifest, 'manifests')
        expect(status === 404, `a damaged manifest was answered ${status}`)
        await pushManifest(client, repository, manifest.digest, manifest)
        const { body } = await client.send('GET', `/v2/${repository}/manifests/${manifest.digest}`)
        if (body.equals(manifest.bytes)) healedManifests += 1
        else failures.push(`a manifest was pushed again and is not right`)
      }
      failures.push(...(await problemsOf(data, signal)))
    }
    return {
      figures: {
        'blobs damaged': injected.size,
        found,
        'found by a pull before the scrub': quarantinedByPull,
        'pulls before the scrub with wrong bytes of the right length': wrongBytes,
        'mended by a push': healed,
        'manifests damaged / found / mended': `${chosen.length} / ${foundManifests} / ${healedManifests}`,
        'good blobs called corrupt': foundWrongly,
      },
      failures: failures.slice(0, 100),
    }
  },
}

/** From 64 bytes to 512 KiB, small ones as often as large ones: some are kept in memory, some are sent in pieces. */
const sizeOf = (chance: number): number => Math.floor(64 * 2 ** (chance * 13))

const ask = async (client: HttpClient, method: string, { digest }: Content, kind = 'blobs'): Promise<number> =>
  (await client.send(method, `/v2/${repository}/${kind}/${digest}`)).status

const askAll = async (
  client: HttpClient,
  contents: readonly Content[],
  judge: (content: Content, status: number, body: Buffer) => Promise<void>,
): Promise<void> => {
  for (const content of contents) {
    const { status, body } = await client.send('GET', `/v2/${repository}/blobs/${content.digest}`)
    await judge(content, status, body)
  }
}

/** Nobody gets an image acknowledged whose layers nobody can pull. */
const refuseManifests = async (
  client: HttpClient,
  images: readonly Image[],
  injected: ReadonlyMap<string, Damage>,
  expect: (holds: boolean, sentence: string) => void,
): Promise<void> => {
  const broken = images.find(({ layers }) => layers.some(({ digest }) => injected.has(digest)))
  const layer = broken?.layers.find(({ digest }) => injected.has(digest))
  if (broken === undefined || layer === undefined) return
  const again = imageOf('another config', broken.layers)
  await pushBlob(client, repository, again.config)
  const { status } = await pushManifest(client, repository, 'again', again.manifest)
  expect(status === 404 || status === 400, `a manifest with a damaged layer was answered ${status}`)
  const mount = await client.send('POST', `/v2/rot/other/blobs/uploads/?mount=${layer.digest}&from=${repository}`)
  expect(mount.status === 202, `a mount of a damaged blob was answered ${mount.status}`)
}

/** The file of each digest. */
const filesOf = async (data: string): Promise<Map<string, string>> => {
  const entries = await readdir(join(data, 'blobs'), { recursive: true, withFileTypes: true })
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => [`sha256:${entry.name.split('.', 1)[0]}`, join(entry.parentPath, entry.name)]),
  )
}
