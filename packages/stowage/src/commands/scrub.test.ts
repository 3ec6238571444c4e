import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { digestOf, pushBlob } from '../testing/push.ts'
import { blobFile, places, pushImage, upkeepWorld } from '../testing/upkeep-worlds.ts'

const fill = async (url: string): Promise<void> => {
  await pushImage(url, 'team/app', 'v1', 'first')
  await pushImage(url, 'team/app', 'v2', 'second')
}

const blobStatus = (content: string) => async (url: string) =>
  (await fetch(`${url}/v2/team/app/blobs/${digestOf(content)}`)).status

describe.each(places)('with %s', (_, served) => {
  test('finds nothing where nothing is wrong', async () => {
    const { stowage } = await upkeepWorld(served, fill)
    expect(await stowage(['scrub'])).toMatchObject({
      code: 0,
      stdout: 'Read 2 blobs and 2 manifests (851 B): all right.\n',
      stderr: '',
    })
    expect(JSON.parse((await stowage(['scrub', '--from-start', '--rate', '1GiB', '--json'])).stdout)).toMatchObject({
      blobs: 2,
      bytes: 851,
      manifests: 2,
      corrupt: [],
      healed: 0,
      incomplete: false,
    })
  })

  test('what is corrupt is found, kept from everybody, and mended by a push', async () => {
    const { stowage, data, ask } = await upkeepWorld(served, fill)
    const file = await blobFile(data, 'first')
    writeFileSync(
      file,
      readFileSync(file).map((byte, index) => (index === 1 ? byte ^ 1 : byte)),
    )
    rmSync(await blobFile(data, 'second'))
    const found = await stowage(['scrub'])
    expect(found.code).toBe(9)
    expect(found.stdout).toMatch(
      /^Read 2 blobs and 2 manifests \(\S+ B\)\. In quarantine now: 2\.\n\nWHAT +DIGEST +PROBLEM\n/,
    )
    expect(found.stdout).toContain(`${digestOf('first')}  its bytes are others`)
    expect(found.stdout).toContain(`${digestOf('second')}  its file is missing`)
    expect(found.stderr).toMatch(/^stowage: 2 blobs or manifests are corrupt\.\n {2}Push the same images again/)
    expect(await ask(blobStatus('first'))).toBe(404)
    expect((await stowage(['scrub', '--json'])).code).toBe(0)

    await ask(async (url) => {
      await pushBlob(url, 'team/app', 'first')
      await pushBlob(url, 'team/app', 'second')
    })
    expect([await ask(blobStatus('first')), await ask(blobStatus('second'))]).toEqual([200, 200])
    expect(await stowage(['scrub', '--from-start'])).toMatchObject({ code: 0 })
  })

  test('what is no rate is a wrong command line', async () => {
    const { stowage } = await upkeepWorld(served, fill)
    for (const rate of ['fast', '-1', '1QiB', '']) {
      expect(await stowage(['scrub', '--rate', rate])).toMatchObject({ code: 64, stdout: '' })
    }
  })
})
