import { checkAfterwards } from '../fuzz/afterwards.ts'
import { startFuzzedServer } from '../fuzz/fuzzed-server.ts'
import { createCases, type ManifestCase, seedContents } from '../fuzz/manifest-case.ts'
import { manifestSeeds } from '../fuzz/manifest-seeds.ts'
import { manifestProblem, type Place } from '../fuzz/manifest-verdict.ts'
import { createMemoryWatch, inMebibytes } from '../fuzz/memory-watch.ts'
import { escaped } from '../fuzz/minimise.ts'
import { chance } from '../fuzz/random-choice.ts'
import { startReferenceDecoder } from '../fuzz/reference-decoder.ts'
import { createHttpClient, CutError, type HttpAnswer } from '../http.ts'
import { digestOf, pushBlob } from '../image.ts'
import { createRandom } from '../random.ts'
import type { Row } from '../row.ts'

const sizes = { small: 5000, full: 200_000 } as const
const workers = 16
const repositories = 4

export const manifestFuzz: Row = {
  name: 'manifest-fuzz',
  title: 'manifests as nobody should write them',
  method:
    'More than a hundred manifests as the tools of the field push them, changed in their members, their JSON and their bytes, are ' +
    'pushed over HTTP. A reader that shares nothing with the registry (Python) says which of them two readers could take for two ' +
    'things: none of those may be accepted, and none of the others refused. What is accepted must be served byte for byte, under the ' +
    'media type, subject, referrers and missing blobs that the other reader sees; what is refused, with a code and the member at fault.',
  portable: false,
  run: async ({ size, seed, directory, say, signal }) => {
    await using server = await startFuzzedServer(directory, 'plain')
    await using reference = startReferenceDecoder()
    using client = createHttpClient(server.url, { maxSockets: workers })
    const contents = seedContents()
    const seeds = manifestSeeds(contents)
    const next = createCases(seeds)
    const names = Array.from({ length: repositories }, (_, at) => `manifests/${at}`)
    for (const name of names) for (const content of contents) await pushBlob(client, name, content)
    const blobs = new Set(contents.map(({ digest }) => digest))

    const cases = sizes[size]
    const memory = createMemoryWatch(server.pid, size)
    const failures: string[] = []
    const accepted = new Set<string>()
    const counts = { accepted: 0, refused: 0, 'missing blobs': 0 }
    let begun = 0

    const one = async (at: number): Promise<void> => {
      const random = createRandom(seed).fork(String(at))
      const made = next(random)
      const byTag = chance(random, 0.3)
      const place: Place = {
        repository: names[at % repositories] ?? '',
        tag: byTag ? `case-${at % 500}` : undefined,
        blobs,
      }
      const [reading, answer] = await Promise.all([
        reference.read(made.body, made.contentType),
        client.send('PUT', `/v2/${place.repository}/manifests/${place.tag ?? digestOf(made.body)}`, {
          headers: made.contentType === undefined ? {} : { 'content-type': made.contentType },
          body: made.body,
          signal,
        }),
      ])
      count(answer)
      if (answer.status === 201) accepted.add(made.seed)
      const problem = await manifestProblem(client, made, place, answer, reading)
      if (problem !== undefined) failures.push(`${problem}; ${shown(made)}, case ${at} of seed ${seed}`)
    }
    const count = ({ status, body }: HttpAnswer): void => {
      if (status === 201) counts.accepted += 1
      else if (body.includes('MANIFEST_BLOB_UNKNOWN')) counts['missing blobs'] += 1
      else counts.refused += 1
    }
    const work = async (): Promise<void> => {
      while (begun < cases && failures.length < 100) {
        signal.throwIfAborted()
        const at = begun
        begun += 1
        try {
          await one(at)
        } catch (error) {
          if (!(error instanceof CutError)) throw error
          failures.push(`no answer (${error.message}); case ${at} of seed ${seed}`)
        }
        if (at % 50 === 0) memory.sample(at / cases)
        if (at % (cases / 10) === 0 && at > 0) say(`${at} manifests, ${counts.accepted} accepted`)
      }
    }
    await Promise.all(Array.from({ length: workers }, work))
    client[Symbol.dispose]()
    if (failures.length < 100 && !server.child.ended()) failures.push(...memory.problems(false))
    failures.push(...(await checkAfterwards(server)))
    // What is never accepted, however little it was changed, tests nothing but the first check.
    if (failures.length === 0)
      for (const { name } of seeds) if (!accepted.has(name)) failures.push(`the seed "${name}" was never accepted`)
    return {
      figures: {
        manifests: begun,
        seeds: seeds.length,
        ...counts,
        'growth of memory, MiB': inMebibytes(memory.growth()),
      },
      failures,
    }
  },
}

const shown = ({ seed, contentType, body }: ManifestCase): string =>
  `"${seed}" with the Content-Type ${String(contentType)}: ${escaped(body, 1500)}`
