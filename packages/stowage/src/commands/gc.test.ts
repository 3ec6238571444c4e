import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runClientCommand } from '../testing/client-command.ts'
import { digestOf, pushBlob } from '../testing/push.ts'
import { places, pushImage, upkeepWorld } from '../testing/upkeep-worlds.ts'

const fill = async (url: string): Promise<void> => {
  await pushImage(url, 'team/app', 'v1', 'used')
  await pushBlob(url, 'team/app', 'unused')
}

const statusOf = (content: string) => async (url: string) =>
  (await fetch(`${url}/v2/team/app/blobs/${digestOf(content)}`, { method: 'HEAD' })).status

describe.each(places)('with %s', (_, served) => {
  test('a dry run says what would go, and takes nothing', async () => {
    const { stowage, ask } = await upkeepWorld(served, fill)
    const dry = await stowage(['gc', '--dry-run', '--grace', '0s'])
    expect(dry).toMatchObject({ code: 0, stderr: '' })
    expect(dry.stdout).toBe(
      `Would remove 1 blob (6 B) that no manifest uses.\n\nREPOSITORY  DIGEST${' '.repeat(67)}SIZE\nteam/app    ${digestOf('unused')}  6 B\n`,
    )
    const asJson = JSON.parse((await stowage(['gc', '--dry-run', '--grace', '0s', '--json'])).stdout) as unknown
    expect(asJson).toMatchObject({
      dryRun: true,
      blobs: 1,
      bytes: 6,
      sample: [{ repository: 'team/app', digest: digestOf('unused'), size: 6 }],
      incomplete: false,
    })
    expect(await ask(statusOf('unused'))).toBe(200)
  })

  test('what no manifest uses goes, what one uses stays', async () => {
    const { stowage, ask } = await upkeepWorld(served, fill)
    const early = await stowage(['gc', '--trust-clock'])
    expect(early).toMatchObject({ code: 0, stdout: 'Removed 0 blobs (0 B) that no manifest uses.\n', stderr: '' })
    const done = await stowage(['gc', '--grace', '0s', '--json'])
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(done.stdout)).toMatchObject({ dryRun: false, links: 1, blobs: 1, bytes: 6 })
    expect([await ask(statusOf('unused')), await ask(statusOf('used'))]).toEqual([404, 200])
  })

  test('while the clock is in doubt nothing goes, and how it goes is said', async () => {
    const { stowage, ask } = await upkeepWorld(served, fill)
    const withheld = await stowage(['gc'])
    expect(withheld).toMatchObject({ code: 1, stdout: 'Removed 0 blobs (0 B) that no manifest uses.\n' })
    expect(withheld.stderr).toMatch(
      /^stowage: No run before this one says what the clock was.*\n {2}stowage gc --trust-clock /,
    )
    expect(await ask(statusOf('unused'))).toBe(200)
  })

  test('what is no duration is a wrong command line', async () => {
    const { stowage } = await upkeepWorld(served, fill)
    for (const argv of [
      ['gc', '--grace', 'soon'],
      ['gc', '--grace', '-1s'],
      ['gc', 'now'],
      ['gc', '--force'],
    ]) {
      expect(await stowage(argv)).toMatchObject({ code: 64, stdout: '' })
    }
  })
})

test('Ctrl-C ends it, and says so', async () => {
  const { stowage } = await upkeepWorld(true, fill)
  const abort = new AbortController()
  abort.abort(new Error('Ctrl-C'))
  expect(await stowage(['gc'], { signal: abort.signal })).toMatchObject({
    code: 130,
    stdout: '',
    stderr: 'stowage: Stopped. What was removed is removed; run it again for the rest.\n',
  })
})

test('where there is no registry none is made', async () => {
  const { data } = await upkeepWorld(false, fill)
  for (const argv of [['gc'], ['scrub'], ['restore'], ['retention', 'apply'], ['backup', '/nowhere/at/all']]) {
    const refused = await runClientCommand([...argv, '--data', join(data, 'no')])
    expect(refused).toMatchObject({ code: 66, stdout: '', stderr: expect.stringContaining('--data') as string })
  }
  expect(existsSync(join(data, 'no'))).toBe(false)
})
