import type { Scenario } from '../scenario.ts'
import { requireStatus } from '../ask.ts'

/** An fsync that fails, and loses what it should have written, in the middle of what the client does. */
export const faultScenarios: readonly Scenario[] = [
  {
    name: 'the fsync of a file fails, and the push comes again',
    run: async (world) => {
      const content = world.content(300)
      world.failSync('file')
      requireStatus('a push without fsync', await world.single('a', content), 503)
      await world.push('a', content)
    },
  },
  {
    name: 'the fsync of a directory fails, and the push comes again',
    run: async (world) => {
      const content = world.content(300)
      world.failSync('directory')
      requireStatus('a push without fsync', await world.single('a', content), 503)
      await world.push('a', content)
    },
  },
  {
    name: 'the fsync of a directory fails under three pushes into it',
    run: async (world) => {
      const contents = [200, 300, 400].map((size) => world.contentIn('c7', size))
      world.failSync('directory')
      const answers = await Promise.all(contents.map(async (content) => world.single('a', content)))
      for (const answer of answers) requireStatus('one of three pushes', answer, 201, 503)
      await world.sweep(0)
      await world.check()
      for (const content of contents) await world.push('a', content)
    },
  },
  {
    name: 'the fsync of a directory fails under six pushes into it, and the disk is tried at once',
    run: async (world) => {
      const contents = [10, 20, 30, 40, 50, 60].map((size) => world.contentIn('e1', size))
      world.failSync('directory', 1)
      const trying = (async () => {
        for (let tried = 0; tried < 6; tried++) await world.check().catch(() => {})
      })()
      const answers = await Promise.all(contents.map(async (content) => world.single('a', content)))
      for (const answer of answers) requireStatus('one of six pushes', answer, 201, 503)
      await trying
    },
  },
  {
    name: 'the fsync of a file fails under pushes of others',
    run: async (world) => {
      const contents = [200, 300, 400, 500].map((size) => world.content(size))
      world.failSync('file', 1)
      const answers = await Promise.all(contents.map(async (content) => world.single('a', content)))
      for (const answer of answers) requireStatus('one of four pushes', answer, 201, 503)
      await world.check()
      await world.push('b', world.content(100))
    },
  },
  {
    name: 'the fsync of a directory fails in a sweep',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      await world.remove('a', content)
      world.failSync('directory')
      await world.sweep(120_000).catch(() => {})
      await world.sweep(120_000)
      await world.push('a', content)
    },
  },
  {
    name: 'the fsync of a new directory of sha512 fails',
    run: async (world) => {
      const content = world.content(300, 'sha512')
      world.failSync('directory')
      requireStatus('a push without fsync', await world.single('a', content), 503)
      await world.push('a', content)
    },
  },
  {
    name: 'the fsync of an upload fails, and the upload is over',
    run: async (world) => {
      const upload = await world.start('a', world.content(900))
      requireStatus('PATCH', await world.patch(upload, 0, 900), 202)
      world.failSync('file')
      requireStatus('PUT without fsync', await world.finish(upload, 900), 503)
      requireStatus('the status of it', await world.send('GET', upload.location), 404)
      await world.pushInTwo('a', upload.content)
    },
  },
]
