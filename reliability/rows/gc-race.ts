import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createFindings } from '../crash/findings.ts'
import { examine } from '../crash/doctor.ts'
import { deleteEverything, type DeleteCounts, deleteSomething } from '../gc-race/delete.ts'
import { createImages } from '../gc-race/images.ts'
import { pullImage, type PushCounts, pushImage } from '../gc-race/push.ts'
import { createHttpClient } from '../http.ts'
import { contentOf, imageOf } from '../image.ts'
import { startRegistry } from '../load/start.ts'
import { createRandom, type Random } from '../random.ts'
import type { Row } from '../row.ts'

const sizes = {
  small: { pushes: Infinity, atLeast: 300, seconds: 15 },
  full: { pushes: 20_000, atLeast: 20_000, seconds: 3600 },
} as const

const pushers = 32
const deleters = 4
const tags = Array.from({ length: 10 }, (_, index) => `tag-${index}`)
const poolSize = 256 * 1024

/** All the time, and with no grace at all: what is not used at this moment goes. */
const environment = { STOWAGE_GARBAGE_EVERY: '100ms', STOWAGE_GARBAGE_GRACE: '0s' }

type Left = Record<'blobs' | 'manifests' | 'tags' | 'uploads', number>

export const gcRace: Row = {
  name: 'gc-race',
  title: 'garbage collection against pushes that count on what it takes',
  method:
    'Garbage is collected every 100 ms with no grace, while 32 clients push images that share layers across repositories (HEAD, ' +
    'then mount or upload of what is missing) and four delete manifests, tags and blobs. A push that is told that a blob is ' +
    'unknown begins anew. Each image is pulled whole when it was acknowledged, now and then, and at the end, unless somebody ' +
    'began to delete it. Then all is deleted, and nothing may be left.',
  portable: false,
  run: async ({ size, registry, directory, seed, say, signal }) => {
    const { pushes, atLeast, seconds } = sizes[size]
    const random = createRandom(seed)
    const noise = random.bytes(poolSize)
    const images = createImages((of) => {
      const bytes = Buffer.from(noise.subarray(0, of.between(32, 32 * 1024)))
      of.bytes(16).copy(bytes)
      return contentOf(bytes)
    })
    const pushed: PushCounts = { uploaded: 0, skipped: 0, mounted: 0, retried: 0 }
    const deleted: DeleteCounts = { manifests: 0, tags: 0, blobs: 0 }
    const failures: string[] = []
    let begun = 0
    let acknowledged = 0
    let pulled = 0
    let broken = 0
    const data = join(directory, 'data')
    {
      await using server = await startRegistry(registry, { directory, environment })
      using client = createHttpClient(server.url, { maxSockets: 128 })
      const over = performance.now() + seconds * 1000
      const more = (): boolean => begun < pushes && performance.now() < over && failures.length < 100 && !signal.aborted
      const idle = new AbortController()

      const check = async (image: ReturnType<typeof images.pick>): Promise<void> => {
        if (image === undefined) return
        const wrong = await pullImage(client, image.repository, image.image)
        // What is being deleted may be gone, or not yet.
        if (image.deleting) return
        pulled += 1
        if (wrong.length === 0) return
        broken += 1
        failures.push(`an acknowledged image is broken: ${wrong.join('; ')}`)
      }
      const noting = (work: Promise<void>): Promise<void> =>
        work.catch((error: unknown) => void failures.push(error instanceof Error ? error.message : String(error)))
      const pushOne = async (of: Random): Promise<void> => {
        const repository = of.pick(images.repositories)
        const layers = Array.from({ length: of.between(1, 4) }, () => images.layer(of))
        const image = imageOf(`${seed} ${(begun += 1)}`, layers)
        const reference = of.next() < 0.7 ? of.pick(tags) : image.manifest.digest
        await pushImage(client, of, images, repository, image, reference, pushed)
        const count = (acknowledged += 1)
        const one = { repository, image, deleting: false }
        images.add(one)
        await check(one)
        if (count % 2000 === 0) say(`${count} pushes, ${pushed.retried} began anew, ${broken} images broken`)
      }
      const work = Array.from({ length: pushers }, async (_, index) => {
        const of = random.fork(`pusher ${index}`)
        while (more()) {
          await noting(pushOne(of))
          if (of.next() < 0.1) await noting(check(images.pick(of)))
        }
      })
      const deleting = Array.from({ length: deleters }, async (_, index) => {
        const of = random.fork(`deleter ${index}`)
        while (!idle.signal.aborted) {
          await noting(deleteSomething(client, of, images, tags, deleted))
          await pause(of.between(0, 5))
        }
      })
      await Promise.all(work)
      idle.abort()
      await Promise.all(deleting)
      signal.throwIfAborted()
      // Whatever it had in hand, the collection has gone over all of this now.
      await pause(500)
      say(`${acknowledged} pushes; ${images.all.size} images are pulled once more`)
      for (const image of images.all) await noting(check(image))
      failures.push(...(await deleteEverything(client, images)))
    }
    const findings = createFindings(() => 'at the end')
    examine(directory, findings)
    const program = fileURLToPath(new URL('../gc-race/collect-program.ts', import.meta.url))
    // Our own program says it.
    const left = JSON.parse(execFileSync(process.execPath, [program, data], { encoding: 'utf8' })) as Left
    const files = ['blobs', 'uploads'].flatMap((name) =>
      readdirSync(join(data, name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    )
    examine(directory, findings)
    failures.push(...findings.sentences)
    for (const kind of ['blobs', 'manifests', 'tags', 'uploads'] as const) {
      if (left[kind] !== 0) failures.push(`${left[kind]} ${kind} are left when everything was deleted`)
    }
    if (files.length > 0) failures.push(`${files.length} files are left, such as ${files[0]?.name}`)
    if (acknowledged < atLeast) failures.push(`only ${acknowledged} pushes came through of ${atLeast}`)
    return {
      figures: {
        'pushes acknowledged': acknowledged,
        'pushes that were told a blob is unknown, and began anew': pushed.retried,
        'blobs uploaded / mounted / there already': `${pushed.uploaded} / ${pushed.mounted} / ${pushed.skipped}`,
        'manifests / tags / blobs deleted': `${deleted.manifests} / ${deleted.tags} / ${deleted.blobs}`,
        'images pulled whole': pulled - broken,
        'acknowledged images that were broken': broken,
        'rows and files left at the end': left.blobs + left.manifests + left.tags + left.uploads + files.length,
      },
      failures: failures.slice(0, 100),
    }
  },
}
