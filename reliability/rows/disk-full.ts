import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { program } from '../../bench/servers/stowage.ts'
import type { RunningServer } from '../../bench/servers/server.ts'
import { createLoopDevice } from '../crash/loop-device.ts'
import { createHttpClient, type HttpAnswer, type HttpClient } from '../http.ts'
import { type Content, contentOf, type Image, imageOf, pushBlob, pushManifest } from '../image.ts'
import { startRegistry } from '../load/start.ts'
import { createRandom, type Random } from '../random.ts'
import type { Row } from '../row.ts'

const mebibytes = 64
const ballastBytes = 24 * 1024 * 1024
const repository = 'disk/full'

const sizes = {
  small: { rounds: 2, sweepEvery: Infinity },
  // A sweep is waited for in one round of so many: readers of deleted blobs have a minute.
  full: { rounds: 12, sweepEvery: 4 },
} as const

export const diskFull: Row = {
  name: 'disk-full',
  title: 'a disk that is full',
  method:
    `The server's data is on an ext4 of ${mebibytes} MiB. In each round images and blobs are pushed until the answer is 507; then ` +
    'everything is pulled and compared, blobs and manifests are deleted and garbage is collected, which must work. Then the ' +
    'rest of the disk is filled from outside to the last byte: whatever is pushed or deleted may be refused, with 507 or 503, ' +
    'and pulls go on. Then there is room again, and pushes must succeed without a restart. In the full size the room that ' +
    'deletions give is waited for in every fourth round, too.',
  portable: false,
  run: async ({ size, directory, seed, say, signal }) => {
    const { rounds, sweepEvery } = sizes[size]
    const count = { pushed: 0, refused: 0, pulls: 0, deletions: 0, collections: 0 }
    const failures: string[] = []
    const device = await createLoopDevice(directory, mebibytes)
    let server: RunningServer | undefined
    try {
      // What ext4 keeps for root, this server, being root's, could write: then nothing would be full.
      const source = execFileSync('findmnt', ['--noheadings', '--output', 'SOURCE', device.directory], {
        encoding: 'utf8',
      })
      execFileSync('tune2fs', ['-m', '0', source.trim()], { stdio: ['ignore', 'ignore', 'pipe'] })
      server = await startRegistry('stowage', { directory: device.directory })
      using client = createHttpClient(server.url)
      const disk = createFiller(client, createRandom(seed), count, failures)
      const ballast = join(device.directory, 'ballast')
      // Of this a part is taken away in each round, as somebody does who makes room.
      fillWith(ballast, ballastBytes)
      for (let round = 0; round < rounds; round++) {
        signal.throwIfAborted()
        await disk.pushUntilFull(`round ${round}`)
        await disk.pullAll(`round ${round}, full,`)
        await disk.remove(`round ${round}, full,`, [202])
        collect(device.directory, `round ${round}, full,`)
        fillWith(`${ballast}-rest`, Infinity)
        await disk.pullAll(`round ${round}, full to the last byte,`)
        await disk.pushRefused(`round ${round}, full to the last byte,`)
        await disk.remove(`round ${round}, full to the last byte,`, [202, 507, 503])
        await disk.pullAll(`round ${round}, full to the last byte,`)
        rmSync(`${ballast}-rest`)
        truncateSync(ballast, Math.floor((ballastBytes * (rounds - 1 - round)) / rounds))
        await disk.pushOne(`round ${round}, with room again,`)
        await disk.pullAll(`round ${round}, with room again,`)
        const isSwept = round % sweepEvery === sweepEvery - 1
        if (isSwept || round === rounds - 1) await disk.removeMost(`round ${round}, with room again,`)
        if (isSwept) await swept(device.directory, disk.keys(), signal)
        say(`round ${round}: ${count.pushed} pushed, ${count.refused} refused, ${count.pulls} pulled`)
      }
      await server.stop()
      server = await startRegistry('stowage', { directory: device.directory })
      using again = createHttpClient(server.url)
      await disk.pullAll('after a restart', again)
    } finally {
      await server?.stop()
      await device[Symbol.asyncDispose]()
    }
    return {
      figures: {
        rounds,
        'blobs and manifests pushed': count.pushed,
        'pushes refused': count.refused,
        pulls: count.pulls,
        'deletions on the full disk and after': count.deletions,
        'runs of garbage collection on the full disk': count.collections,
        'corrupt, missing or otherwise answered': failures.length,
      },
      failures: failures.slice(0, 100),
    }

    function collect(data: string, when: string): void {
      count.collections += 1
      try {
        const args = ['gc', '--data', join(data, 'data'), '--trust-clock']
        execFileSync(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
      } catch (error) {
        failures.push(`${when} garbage collection failed: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  },
}

/** Writes so many bytes, or as many as there is room for. */
const fillWith = (path: string, bytes: number): void => {
  const fd = openSync(path, 'w')
  const piece = Buffer.alloc(64 * 1024, 1)
  try {
    for (let size = piece.byteLength; size >= 1; size = size > 1 ? size >> 4 : 0) {
      // The last bytes one by one.
      for (let written = 0; written < bytes; written += size) writeSync(fd, piece, 0, size)
      if (bytes !== Infinity) return
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(fd)
  }
}

/** Resolves when the disk has no more files of blobs than are known; a reader has a minute, and the sweep comes twice in it. */
const swept = async (directory: string, most: number, signal: AbortSignal): Promise<void> => {
  for (let tried = 0; tried < 120; tried++) {
    const entries = await readdir(join(directory, 'data', 'blobs'), { recursive: true, withFileTypes: true })
    if (entries.filter((entry) => entry.isFile()).length <= most) return
    await pause(1000, undefined, { signal })
  }
  throw new Error('The bytes of deleted blobs were not swept within two minutes.')
}

const createFiller = (
  client: HttpClient,
  random: Random,
  count: { pushed: number; refused: number; pulls: number; deletions: number },
  failures: string[],
) => {
  /** Pushed, and not deleted, alone and in images. */
  const blobs = new Map<string, Content>()
  const images: Image[] = []
  /** Of a deletion of it the outcome is unknown. */
  const doubtful = new Set<string>()
  let name = 0

  const refusal = (when: string, what: string, answer: HttpAnswer): void => {
    count.refused += 1
    if (answer.status !== 507 && answer.status !== 503) failures.push(`${when} ${what} gave ${answer.status}`)
    else if (answer.headers['retry-after'] === undefined) failures.push(`${when} ${what} had no Retry-After`)
  }

  /** @returns whether it was taken. */
  const push = async (when: string, content: Content): Promise<boolean> => {
    const answer = await pushBlob(client, repository, content)
    if (answer.status === 201) {
      count.pushed += 1
      blobs.set(content.digest, content)
      return true
    }
    refusal(when, 'a push', answer)
    return false
  }

  const pushImage = async (when: string, most = 2_000_000): Promise<boolean> => {
    name += 1
    const layer = contentOf(random.bytes(random.between(100_000, most)))
    const image = imageOf(`image ${name}`, [layer])
    if (!(await push(when, layer)) || !(await push(when, image.config))) return false
    const answer = await pushManifest(client, repository, `tag-${name}`, image.manifest)
    if (answer.status !== 201) {
      refusal(when, 'a manifest', answer)
      return false
    }
    count.pushed += 1
    images.push(image)
    return true
  }

  const pushUntilFull = async (when: string): Promise<void> => {
    let refused = 0
    for (let tried = 0; tried < 1000 && refused < 3; tried++) {
      const taken =
        tried % 3 === 0
          ? await pushImage(when)
          : await push(when, contentOf(random.bytes(random.between(1, 3_000_000))))
      // A small one may still find room where a large one did not.
      if (!taken) refused += 1
    }
    if (refused < 3) failures.push(`${when} the disk never was full`)
  }

  const remove = async (when: string, expected: readonly number[]): Promise<void> => {
    const image = images.shift()
    const alone = [...blobs.keys()].find((digest) => !images.some((each) => uses(each, digest)) && !uses(image, digest))
    const targets = [
      ...(image === undefined ? [] : [`manifests/${image.manifest.digest}`]),
      ...(image === undefined ? [] : [...image.layers, image.config].map(({ digest }) => `blobs/${digest}`)),
      ...(alone === undefined ? [] : [`blobs/${alone}`]),
    ]
    for (const target of targets) {
      const digest = target.slice(target.indexOf('/') + 1)
      const answer = await client.send('DELETE', `/v2/${repository}/${target}`)
      count.deletions += 1
      // When the manifest stays, so do its blobs.
      const isHeld = expected.length > 1 && answer.status === 405
      if (!expected.includes(answer.status) && !isHeld) failures.push(`${when} a deletion gave ${answer.status}`)
      if (answer.status === 202) blobs.delete(digest)
      else if (digest === image?.manifest.digest) images.push(image)
      // A full disk is known to have taken nothing.
      if (answer.status === 503) doubtful.add(digest)
    }
  }

  const pullAll = async (when: string, by: HttpClient = client): Promise<void> => {
    const manifests = images.map(({ manifest }) => [`manifests/${manifest.digest}`, manifest] as const)
    const contents = [...blobs.values()].map((content) => [`blobs/${content.digest}`, content] as const)
    for (const [target, { digest, bytes }] of [...manifests, ...contents]) {
      const answer = await by.send('GET', `/v2/${repository}/${target}`)
      count.pulls += 1
      if (answer.status === 404 && doubtful.has(digest)) continue
      if (answer.status !== 200) failures.push(`${when} a pull gave ${answer.status}`)
      else if (!answer.body.equals(bytes)) failures.push(`${when} a pull gave other bytes`)
    }
  }

  return {
    pushUntilFull,
    remove,
    pullAll,
    keys: () => blobs.size,
    pushRefused: async (when: string): Promise<void> => {
      if (await push(when, contentOf(random.bytes(1_000_000)))) failures.push(`${when} a push of a megabyte found room`)
      await push(when, contentOf(random.bytes(1000)))
    },
    pushOne: async (when: string): Promise<void> => {
      if (!(await pushImage(when, 300_000))) failures.push(`${when} an image was refused`)
    },
    removeMost: async (when: string): Promise<void> => {
      while (images.length > 2) await remove(when, [202, 404])
    },
  }
}

const uses = (image: Image | undefined, digest: string): boolean =>
  image?.config.digest === digest || image?.layers.some((layer) => layer.digest === digest) === true
