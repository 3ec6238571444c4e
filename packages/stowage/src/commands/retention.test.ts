import { describe, expect, test } from 'vitest'
import { places, pushImage, upkeepWorld, type UpkeepWorld } from '../testing/upkeep-worlds.ts'
import { digestOf, imageManifest, pushManifest } from '../testing/push.ts'

const rules = [{ repositories: 'team/*', keep: { newest: 1 } }]
const environment = { STOWAGE_RETENTION_RULES: JSON.stringify(rules) }

const fill = async (url: string): Promise<void> => {
  await pushImage(url, 'team/app', 'v1', 'one')
  await pushImage(url, 'team/app', 'v2', 'two')
  await pushImage(url, 'other', 'v1', 'one')
  await pushImage(url, 'other', 'v2', 'two')
}

const world = async (served: boolean): Promise<UpkeepWorld> =>
  upkeepWorld(served, fill, environment, { retention: { every: 0, rules } })

const tagsOf = (repository: string) => async (url: string) =>
  ((await (await fetch(`${url}/v2/${repository}/tags/list`)).json()) as { tags: string[] }).tags

describe.each(places)('with %s', (_, served) => {
  test('a preview says what would go and why, and takes nothing', async () => {
    const { stowage, ask } = await world(served)
    const preview = await stowage(['retention', 'preview'])
    expect(preview).toMatchObject({ code: 0, stderr: '' })
    expect(preview.stdout).toMatch(
      /^Would remove 1 tag and 0 manifests without one\.\n\nREPOSITORY +TAG +DIGEST +WHY\nteam\/app +v1 +sha256:/,
    )
    const asJson = JSON.parse((await stowage(['retention', 'preview', '--json'])).stdout) as unknown
    expect(asJson).toMatchObject({ dryRun: true, tags: 1, sample: [{ repository: 'team/app', tag: 'v1' }] })
    expect(await ask(tagsOf('team/app'))).toEqual(['v1', 'v2'])
  })

  test('rules are applied, and what they took is brought back', async () => {
    const { stowage, ask } = await world(served)
    expect((await stowage(['restore'])).stdout).toMatch(/^Nothing can be brought back/)
    const withheld = await stowage(['retention', 'apply'])
    expect(withheld).toMatchObject({ code: 1, stdout: expect.stringMatching(/^Nothing went/) as string })
    expect(withheld.stderr).toMatch(/^stowage: No run before this one .*\n {2}stowage retention apply --trust-clock /)
    expect(await ask(tagsOf('team/app'))).toEqual(['v1', 'v2'])
    const applied = await stowage(['retention', 'apply', '--trust-clock'])
    expect(applied).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Removed 1 tag /) as string })
    expect([await ask(tagsOf('team/app')), await ask(tagsOf('other'))]).toEqual([['v2'], ['v1', 'v2']])

    const listed = await stowage(['restore'])
    expect(listed.stdout).toMatch(/^ID +TAG +DIGEST +REMOVED +UNTIL\n\d+ +team\/app:v1 +sha256:\S+ +20\S+Z +20\S+Z\n$/)
    const { tags } = JSON.parse((await stowage(['restore', '--json'])).stdout) as {
      tags: { id: number; removedAt: number; restoreUntil: number }[]
    }
    expect(tags).toHaveLength(1)
    expect((tags[0]?.restoreUntil ?? 0) - (tags[0]?.removedAt ?? 0)).toBe(7 * 86_400_000)

    const restored = await stowage(['restore', 'team/app:v1', '--json'])
    expect(JSON.parse(restored.stdout)).toMatchObject({ repository: 'team/app', tag: 'v1' })
    expect(await ask(tagsOf('team/app'))).toEqual(['v1', 'v2'])
    expect(await stowage(['restore', 'team/app:v1'])).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^stowage: There is no removed tag team\/app:v1 /) as string,
    })
  })

  test('a name that is taken by now is not taken away unless that is said', async () => {
    const { stowage, ask } = await world(served)
    await stowage(['retention', 'apply', '--trust-clock'])
    const { tags } = JSON.parse((await stowage(['restore', '--json'])).stdout) as {
      tags: { id: number; digest: string }[]
    }
    const [{ id, digest } = { id: 0, digest: '' }] = tags
    const taken = imageManifest('two', 10)
    await ask(async (url) => pushManifest(url, 'team/app', 'v1', taken))
    const refused = await stowage(['restore', '--id', String(id)])
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain(`team/app:v1 is there, and names ${digestOf(taken)}.`)
    const beside = await stowage(['restore', 'team/app:v1', '--as', 'v1-old'])
    expect(beside).toMatchObject({ code: 0, stdout: `Restored team/app:v1-old, which is ${digest}.\n` })

    // v1-old is the newest by now.
    await stowage(['retention', 'apply', '--trust-clock'])
    await ask(async (url) => pushManifest(url, 'team/app', 'v1', imageManifest('two', 20)))
    const moved = await stowage(['restore', 'team/app:v1', '--overwrite'])
    expect(moved).toMatchObject({ code: 0, stdout: `Restored team/app:v1, which is ${digestOf(taken)}.\n` })
  })

  test('what is not there, or not understood, has a code', async () => {
    const { stowage } = await world(served)
    expect(await stowage(['restore', '--id', '4711'])).toMatchObject({ code: 3, stdout: '' })
    expect(await stowage(['restore', 'no/where:v1'])).toMatchObject({ code: 3, stdout: '' })
    for (const argv of [
      ['restore', 'team/app'],
      ['restore', 'team/app:'],
      ['restore', ':v1'],
      ['restore', '--as', 'v2'],
      ['restore', '--overwrite'],
      ['restore', 'team/app:v1', '--id', '1'],
      ['restore', '--id', 'x'],
      ['restore', '--id', '1', '--as', 'no tag'],
      ['retention', 'preview', 'team/app'],
      ['retention', 'remove'],
    ]) {
      const { code, stdout } = await stowage(argv)
      expect({ argv, code, stdout }).toEqual({ argv, code: 64, stdout: '' })
    }
  })
})
