import type { Scenario } from '../scenario.ts'
import { requireStatus } from '../ask.ts'
import type { Upload, World } from '../world.ts'

/** Sends the rest of an upload, or all of it anew when it is not known any more. */
const goOn = async (world: World, upload: Upload): Promise<void> => {
  const from = await world.offset(upload)
  if (from !== undefined) {
    const { status } = await world.finish(upload, from)
    if (status === 201) return
    // What the cut tore is found by its digest.
    if (status !== 400 && status !== 416) throw new Error(`going on was answered ${status}`)
    await world.cancel(upload)
  }
  world.expect({ kind: 'upload', ...upload, state: 'over' })
  await world.pushInTwo(upload.repository, upload.content)
}

/** Starts, stops and power cuts in the middle. */
export const lifeScenarios: readonly Scenario[] = [
  { name: 'the first start', emptyDisk: true, alike: true, run: async () => {} },
  {
    name: 'the first start and the first push',
    emptyDisk: true,
    alike: true,
    run: async (world) => world.push('a', world.content(100)),
  },
  {
    name: 'a start after one that was cut off',
    emptyDisk: true,
    alike: true,
    run: async (world) => {
      await world.crash()
      await world.push('a', world.content(100))
    },
  },
  {
    name: 'a restart between pushes',
    run: async (world) => {
      await world.push('a', world.content(100))
      await world.restart()
      await world.push('a', world.content(200))
    },
  },
  {
    name: 'an upload goes on after a restart',
    run: async (world) => {
      const upload = await world.start('a', world.content(3000))
      requireStatus('PATCH', await world.patch(upload, 0, 1000), 202)
      await world.restart()
      requireStatus('PATCH', await world.patch(upload, 1000, 2000), 202)
      requireStatus('PUT', await world.finish(upload, 2000), 201)
    },
  },
  {
    name: 'an upload goes on after a power cut',
    mostAtOnce: 600,
    run: async (world) => {
      const upload = await world.start('a', world.content(3000))
      requireStatus('PATCH', await world.patch(upload, 0, 1500), 202)
      await world.crash()
      await goOn(world, upload)
    },
  },
  {
    name: 'an upload goes on after two power cuts',
    run: async (world) => {
      const upload = await world.start('a', world.content(3000))
      requireStatus('PATCH', await world.patch(upload, 0, 1000), 202)
      // A commit that waits for the disk takes the row of the upload with it.
      await world.push('b', world.content(10))
      await world.crash()
      const from = await world.offset(upload)
      if (from !== undefined && from < 2000) requireStatus('PATCH', await world.patch(upload, from, 2000), 202)
      await world.crash()
      await goOn(world, upload)
    },
  },
  {
    name: 'a power cut in the middle of a commit, and the push comes again',
    run: async (world) => {
      const content = world.content(500)
      const pushing = world.push('a', content).catch(() => {})
      await world.steps(6)
      await world.crash()
      await pushing
      await world.push('a', content)
      await world.sweep(120_000)
    },
  },
  {
    name: 'a power cut in the middle of five pushes',
    run: async (world) => {
      const contents = [100, 200, 300, 400, 500].map((size) => world.content(size))
      const pushing = contents.map(async (content) => world.push('a', content).catch(() => {}))
      await world.steps(25)
      await world.crash()
      await Promise.all(pushing)
      for (const content of contents.slice(0, 2)) await world.push('a', content)
    },
  },
  {
    name: 'a power cut after a deletion, and a sweep',
    run: async (world) => {
      const [gone, stays] = [world.content(300), world.content(400)]
      for (const content of [gone, stays]) await world.push('a', content)
      await world.remove('a', gone)
      await world.crash()
      await world.sweep(120_000)
      await world.crash()
      await world.sweep(120_000)
    },
  },
  {
    name: 'a check of health between pushes',
    run: async (world) => {
      await Promise.all([world.check(), world.push('a', world.content(100))])
      await world.check()
    },
  },
]
