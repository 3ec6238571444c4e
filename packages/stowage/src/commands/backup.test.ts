import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runClientCommand } from '../testing/client-command.ts'
import { digestOf } from '../testing/push.ts'
import { blobFile, places, pushImage, upkeepWorld } from '../testing/upkeep-worlds.ts'

const fill = async (url: string): Promise<void> => {
  await pushImage(url, 'team/app', 'v1', 'first')
}

describe.each(places)('with %s', (_, served) => {
  test('copies, and says what', async () => {
    const { stowage, data } = await upkeepWorld(served, fill)
    const target = join(dirname(data), 'copy')
    const made = await stowage(['backup', target])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toBe(`Copied to ${target}: the database, and 1 blob (5 B), all as hard links.\n`)
    expect(await runClientCommand(['doctor', '--deep', '--data', target])).toMatchObject({ code: 0 })
    expect((await runClientCommand(['scrub', '--data', target])).stdout).toContain('Read 1 blob and 1 manifest')
    const again = await stowage(['backup', target, '--json'])
    expect(again).toMatchObject({ code: 64, stdout: '', stderr: expect.stringContaining('is not empty') as string })
    const other = await stowage(['backup', `${target}2`, '--json'])
    expect(JSON.parse(other.stdout)).toMatchObject({ target: `${target}2`, blobs: 1, bytes: 5, gone: 0, damaged: [] })
  })

  test('what is lost already is not kept secret', async () => {
    const { stowage, data } = await upkeepWorld(served, fill)
    writeFileSync(await blobFile(data, 'first'), 'x')
    const made = await stowage(['backup', join(dirname(data), 'copy')])
    expect(made).toMatchObject({ code: 9, stdout: expect.stringMatching(/^Copied to /) as string })
    expect(made.stderr).toContain(`1 blob of the registry could not be copied: ${digestOf('first')}.`)
  })

  test('refuses what cannot be meant', async () => {
    const { stowage, data } = await upkeepWorld(served, fill)
    mkdirSync(join(dirname(data), 'here'))
    for (const argv of [
      ['backup'],
      ['backup', data],
      ['backup', join(data, 'x')],
      ['backup', join(data, '..', 'no', 'x')],
    ]) {
      expect(await stowage(argv)).toMatchObject({ code: 64, stdout: '' })
    }
    expect(existsSync(join(data, 'x'))).toBe(false)
  })
})

test('a relative path is one of who asks, not of the server', async () => {
  const { stowage, data } = await upkeepWorld(true, fill)
  const before = process.cwd()
  process.chdir(dirname(data))
  try {
    expect(await stowage(['backup', 'copy'])).toMatchObject({ code: 0 })
  } finally {
    process.chdir(before)
  }
  expect(existsSync(join(dirname(data), 'copy', 'registry.db'))).toBe(true)
})
