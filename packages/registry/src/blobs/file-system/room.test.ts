import { beforeEach, expect, it } from 'vitest'
import { fileOperations } from './file-operations.ts'
import { createRoom, NoRoomError } from './room.ts'

const MiB = 1024 * 1024

let disk: { free: number; total: number }
let looks: number
let time: number

const roomOf = (keepFree?: number) =>
  createRoom(
    {
      ...fileOperations,
      room: async () => {
        looks += 1
        return disk
      },
    },
    '/',
    keepFree,
    () => time,
  )

beforeEach(() => {
  disk = { free: 100, total: 1000 }
  looks = 0
  time = 0
})

it('keeps the last bytes free, and looks again only when they seem to be reached', async () => {
  const room = roomOf(40)
  await room.take(10)
  expect(room.take(20)).toBeUndefined()
  expect(room.take(30)).toBeUndefined()
  expect(looks).toBe(1)
  disk = { free: 41, total: 1000 }
  await expect(room.take(2)).rejects.toThrow(NoRoomError)
  await room.take(1)
  expect(looks).toBe(2)
  disk = { free: 100, total: 1000 }
  await room.take(60)
})

it('looks again after a second: others write too', async () => {
  const room = roomOf(0)
  await room.take(1)
  time = 999
  expect(room.take(1)).toBeUndefined()
  time = 1000
  disk = { free: 0, total: 1000 }
  await expect(room.take(1)).rejects.toMatchObject({ code: 'ENOSPC' })
})

it('looks once for all who come meanwhile, and gives nothing twice', async () => {
  const room = roomOf(0)
  const results = await Promise.allSettled(Array.from({ length: 11 }, async () => room.take(10)))
  expect(looks).toBe(1)
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
})

it.each([
  ['16 MiB of a large disk', 1000 * MiB, 16 * MiB],
  ['a tenth of a small one', 64 * MiB, Math.floor(6.4 * MiB)],
])('keeps %s unless told otherwise', async (_, total, kept) => {
  disk = { free: kept + 1, total }
  const room = roomOf()
  await expect(room.take(2)).rejects.toThrow(`${kept} are kept`)
  await room.take(1)
})

it('does not refuse where the file system does not know its size', async () => {
  disk = { free: 0, total: 0 }
  await roomOf().take(1_000_000)
})
