import { describe, expect, it } from 'vitest'
import { createClient } from './client.ts'
import type { Target } from './content/ports.ts'
import { createMemoryTarget } from './memory/memory-target.ts'
import { platformIndex } from './testing/contract/contract.ts'
import { putSample, sampleImage } from './testing/sample-images.ts'

/** A client whose disk counts what is open. */
const counting = async () => {
  const disk = createMemoryTarget('disk')
  const { index } = platformIndex('linux/amd64')
  await putSample(disk, index, 'v1')
  let open = 0
  const openLocal = async (): Promise<Target> => {
    open++
    let closed = false
    return {
      ...disk,
      [Symbol.asyncDispose]: async () => {
        if (!closed) open--
        closed = true
      },
    }
  }
  return { client: createClient({ openLocal }), open: () => open }
}

describe('what was opened', () => {
  it('on this machine is closed with it, and not before', async () => {
    const { client, open } = await counting()
    await using _ = client
    {
      await using opened = await client.open('ocidir:x:v1')
      if (opened.kind !== 'index') throw new Error('an index')
      {
        await using image = await opened.platform({ os: 'linux', architecture: 'amd64' })
        expect(image.kind).toBe('image')
      }
      expect(open()).toBe(1)
    }
    expect(open()).toBe(0)
  })

  it('is closed with the client where nobody else did, and at once where there was nothing', async () => {
    const { client, open } = await counting()
    await client.open('ocidir:x:v1')
    await expect(client.open('ocidir:x:v2')).rejects.toMatchObject({ code: 'not-found' })
    expect(open()).toBe(1)
    await client[Symbol.asyncDispose]()
    expect(open()).toBe(0)
  })

  it('in memory lives as long as the client', async () => {
    await using client = createClient()
    const { target } = await client.target('memory:m')
    await putSample(target, sampleImage(), 'v1')
    {
      await using opened = await client.open('memory:m:v1')
      expect(opened.kind).toBe('image')
    }
    expect((await client.open('memory:m:v1')).kind).toBe('image')
  })
})
