import { expect, it } from 'vitest'
import { createDirectorySync } from './directory-sync.ts'
import { type FileOperations, fileOperations } from './file-operations.ts'

/** File operations whose fsyncs end when the test says so. */
const held = () => {
  const running: { fd: number; end: (error?: Error) => void }[] = []
  let opened = 0
  const files: FileOperations = {
    ...fileOperations,
    open: async () => ++opened,
    close: async () => {},
    sync: (fd) =>
      new Promise((resolve, reject) => {
        running.push({ fd, end: (error) => (error === undefined ? resolve() : reject(error)) })
      }),
  }
  return { files, running, opened: () => opened }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('serves all who wait at the same time with one fsync, and nobody with one that had begun before', async () => {
  const { files, running, opened } = held()
  const directories = createDirectorySync(files)
  const done: string[] = []
  const wait = async (who: string): Promise<void> => {
    await directories.sync('shard')
    done.push(who)
  }
  const first = wait('first')
  await turn()
  expect(running).toHaveLength(1)
  const later = [wait('second'), wait('third')]
  await turn()
  expect(running).toHaveLength(1)

  running[0]?.end()
  await turn()
  expect(done).toEqual(['first'])
  expect(running).toHaveLength(2)

  later.push(wait('fourth'))
  running[1]?.end()
  await turn()
  expect(done).toEqual(['first', 'second', 'third'])
  expect(running).toHaveLength(3)

  running[2]?.end()
  await Promise.all([first, ...later])
  expect(done).toEqual(['first', 'second', 'third', 'fourth'])
  expect(opened()).toBe(1)
})

it('tells all who shared a failed fsync or waited for it to end, and lets those after it try, on a new descriptor', async () => {
  const { files, running, opened } = held()
  const failures: unknown[] = []
  const directories = createDirectorySync(files, (error) => failures.push(error))
  const first = directories.sync('shard')
  await turn()
  // It may have tried to write these entries too, and a second fsync would not try again.
  const waiting = directories.sync('shard')
  const failed = Promise.all([first, waiting].map((each) => expect(each).rejects.toThrow('lost')))
  running[0]?.end(new Error('lost'))
  await failed
  expect([failures.length, running.length]).toEqual([1, 1])
  const after = directories.sync('shard')
  await turn()
  expect([running.length, opened()]).toEqual([2, 2])
  running[1]?.end()
  await after
})

it('syncs different directories side by side', async () => {
  const { files, running } = held()
  const directories = createDirectorySync(files)
  const both = [directories.sync('ab'), directories.sync('cd')]
  await turn()
  expect(running.map(({ fd }) => fd)).toEqual([1, 2])
  for (const { end } of running) end()
  await Promise.all(both)
})

it('keeps no descriptor when it is disposed of, and closes none under an fsync', async () => {
  const { files, running } = held()
  const closed: number[] = []
  files.close = async (fd) => void closed.push(fd)
  const directories = createDirectorySync(files)
  const syncing = directories.sync('shard')
  await turn()
  const disposing = directories[Symbol.asyncDispose]()
  await turn()
  expect(closed).toEqual([])
  running[0]?.end()
  await syncing
  await disposing
  expect(closed).toEqual([1])
})
