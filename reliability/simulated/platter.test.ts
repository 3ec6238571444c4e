import { describe, expect, it } from 'vitest'
import { createRandom } from '../random.ts'
import { createSimulatedFiles, type SimulatedFiles } from './files.ts'
import { emptyImage, filesBelow, type Image } from './image.ts'
import { createPlatter, type Platter } from './platter.ts'

const createFlags = 0o302

const machine = (
  options: Partial<Parameters<typeof createSimulatedFiles>[0]> = {},
): { files: SimulatedFiles; platter: Platter; left: () => string[] } => {
  const image = options.image ?? emptyImage
  const platter = createPlatter(image)
  const files = createSimulatedFiles({ image, clock: () => 1, log: platter.apply, ...options })
  const shown = (survivor: Image): string =>
    [...filesBelow(survivor)].map(([name, bytes]) => `${name}=${Buffer.from(bytes).toString()}`).join(' ')
  return {
    files,
    platter,
    left: () => [...new Set([...platter.survivors(createRandom(1), 100)].map(shown))].toSorted(),
  }
}

describe('what a power cut leaves', () => {
  it('of a file without fsync: nothing, its name, some or all of its bytes, or zeros', async () => {
    const { files, left } = machine()
    const fd = await files.open('/a', createFlags)
    await files.write(fd, [Buffer.from('text')], 0)
    expect(left()).toEqual(['', 'a=', 'a=\0\0\0\0', 'a=te', 'a=text'].toSorted())
  })

  it('of a file whose bytes were synced and whose name was not: nothing, or all of it', async () => {
    const { files, left } = machine()
    const fd = await files.open('/a', createFlags)
    await files.write(fd, [Buffer.from('text')], 0)
    await files.sync(fd)
    expect(left()).toEqual(['', 'a=text'])
    await files.sync(await files.open('/', 0))
    expect(left()).toEqual(['a=text'])
  })

  it('of a rename: either name, both, or none', async () => {
    const before = machine()
    await before.files.mkdir('/b', 0o700)
    await before.files.open('/a', createFlags)
    const { files, left } = machine({ image: before.files.snapshot() })
    await files.rename('/a', '/b/c')
    expect(left()).toEqual(['', 'a=', 'b/c=', 'b/c= a='])
    await files.sync(await files.open('/b', 0))
    expect(left()).toEqual(['b/c=', 'b/c= a='])
  })

  it('of what is in a directory without a name: nothing', async () => {
    const { files, left } = machine()
    await files.mkdir('/b', 0o700)
    await files.open('/b/c', createFlags)
    await files.sync(await files.open('/b', 0))
    expect(left()).toEqual(['', 'b/c='])
  })

  it('of a write that came after an fsync had begun: what it would without it', async () => {
    let during: (() => Promise<unknown>) | undefined
    const { files, left } = machine({
      pause: async () => {
        const now = during
        during = undefined
        await now?.()
      },
    })
    const fd = await files.open('/a', createFlags)
    await files.sync(await files.open('/', 0))
    await files.write(fd, [Buffer.from('old')], 0)
    during = async () => files.write(fd, [Buffer.from('new')], 3)
    await files.sync(fd)
    expect(left()).toContain('a=old')
    expect(left()).toContain('a=oldnew')
    expect(left()).not.toContain('a=')
  })

  it('of what an fsync failed to write: anything, whatever a later fsync says', async () => {
    let failures = 1
    const { files, left } = machine({ failSync: (kind) => kind === 'file' && failures-- > 0 })
    const fd = await files.open('/a', createFlags)
    await files.sync(await files.open('/', 0))
    await files.write(fd, [Buffer.from('text')], 0)
    await expect(files.sync(fd)).rejects.toMatchObject({ code: 'EIO' })
    await files.sync(fd)
    expect(left()).toContain('a=')
    expect(left()).toContain('a=text')
  })

  it('of many changes: the extremes, and as many others as are asked for', async () => {
    const { files, platter } = machine()
    for (let name = 0; name < 20; name++) await files.open(`/${name}`, createFlags)
    const found = [...platter.survivors(createRandom(1), 40)].map((image) => filesBelow(image).size)
    expect([found.length, Math.min(...found), Math.max(...found)]).toEqual([40, 0, 20])
  })
})
