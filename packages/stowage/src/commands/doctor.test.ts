import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { runClientCommand } from '../testing/client-command.ts'
import { digestOf, pushBlob } from '../testing/push.ts'
import { blobFile, places, pushImage, upkeepWorld } from '../testing/upkeep-worlds.ts'

const fill = async (url: string): Promise<void> => {
  await pushImage(url, 'team/app', 'v1', 'first')
  await pushImage(url, 'team/app', 'v2', 'second')
  await pushBlob(url, 'team/app', 'unused')
}

/** Changes the database behind the back of the registry. */
const edit = (data: string, sql: string): void => {
  const database = new DatabaseSync(join(data, 'registry.db'))
  database.exec(`pragma foreign_keys = off; ${sql}`)
  database.close()
}

describe.each(places)('with %s', (_, served) => {
  test('says that nothing is wrong where nothing is', async () => {
    const { stowage } = await upkeepWorld(served, fill)
    expect(await stowage(['doctor'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: 'Looked at 2 manifests and 3 blobs, without reading blobs: --deep does. Nothing is wrong.\n',
    })
    const deep = await stowage(['doctor', '--deep', '--rate', '1GiB', '--json'])
    expect(deep.code).toBe(0)
    expect(JSON.parse(deep.stdout)).toMatchObject({
      deep: true,
      problems: 0,
      notes: 0,
      findings: [],
      looked: { blobs: 3 },
    })
  })

  test('changes nothing, and makes no file', async () => {
    const { stowage, data } = await upkeepWorld(served, fill)
    // Of the database itself: readers of a database keep its log and its index.
    const seen = (): unknown[] =>
      readdirSync(data, { recursive: true, encoding: 'utf8' })
        .filter((name) => !name.startsWith('registry.db-'))
        .toSorted()
        .map((name) => [name, statSync(join(data, name)).mtimeMs])
    const before = seen()
    await stowage(['doctor', '--deep'])
    expect(seen()).toEqual(before)
  })

  test('finds what is wrong, by rule, and says how to mend it', async () => {
    const { stowage, data, ask } = await upkeepWorld(served, fill)
    rmSync(await blobFile(data, 'first'))
    writeFileSync(await blobFile(data, 'second'), 'sec?nd')
    const quick = await stowage(['doctor'])
    expect(quick).toMatchObject({ code: 9, stderr: '' })
    expect(quick.stdout).toMatch(
      /^I2 {2}Every blob and manifest has its bytes, and they have its digest\n\n {2}blob-missing \(problem\)\n {4}sha256:\S+\n {6}\S.*\n {4}Run a scrub: /,
    )
    expect(quick.stdout).toContain(digestOf('first'))
    expect(quick.stdout).toMatch(/ 1 problem\. docs\/doctor\.md has a section for each\.\n$/)

    edit(data, `update tags set digest = '${digestOf('nothing')}' where name = 'v1'`)
    const deep = await stowage(['doctor', '--deep'])
    expect(deep.code).toBe(9)
    for (const kind of ['blob-missing', 'blob-digest', 'tag-dangling']) expect(deep.stdout).toContain(`  ${kind} (`)
    expect(deep.stdout.indexOf('\nI4  ')).toBeGreaterThan(deep.stdout.indexOf('I2  '))
    const { problems, findings } = JSON.parse((await stowage(['doctor', '--deep', '--json'])).stdout) as {
      problems: number
      findings: { kind: string; invariant: string; subject: string; remedy: string }[]
    }
    expect(problems).toBeGreaterThanOrEqual(3)
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'blob-digest', invariant: 'I2', subject: digestOf('second') }),
    )
    for (const { remedy } of findings) expect(remedy).not.toBe('')
    expect(await ask(async (url) => (await fetch(`${url}/v2/`)).status)).toBe(200)
  })

  test('what is only worth knowing is no failure', async () => {
    const { stowage, data } = await upkeepWorld(served, fill)
    const file = await blobFile(data, 'first')
    writeFileSync(file.replace(/.{32}$/, '0'.repeat(32)), 'stray')
    const found = await stowage(['doctor'])
    expect(found).toMatchObject({ code: 0, stderr: '' })
    expect(found.stdout).toMatch(
      /^I10 [^]* {2}orphan-files \(note\)\n[^]*Nothing is wrong, and 1 thing worth knowing\. docs\/doctor\.md has a section for each\.\n$/,
    )
  })

  test('is understood or refused', async () => {
    const { stowage } = await upkeepWorld(served, fill)
    for (const argv of [
      ['doctor', 'now'],
      ['doctor', '--rate', 'fast'],
      ['doctor', '--mend'],
    ]) {
      expect(await stowage(argv)).toMatchObject({ code: 64, stdout: '' })
    }
  })
})

test('many of a kind are counted, and some are shown', async () => {
  const { stowage, data } = await upkeepWorld(false, async (url) => {
    for (let n = 0; n < 15; n++) await pushBlob(url, 'team/app', `blob ${n}`)
  })
  for (let n = 0; n < 15; n++) rmSync(await blobFile(data, `blob ${n}`))
  const found = await stowage(['doctor'])
  expect(found.code).toBe(9)
  expect(found.stdout).toMatch(/ {2}blob-missing \(15 problems\)\n/)
  expect(found.stdout).toContain('    … and 5 more\n')
  expect(found.stdout.match(/^ {4}sha256:/gm)).toHaveLength(10)
})

test('Ctrl-C ends it', async () => {
  const { stowage } = await upkeepWorld(false, fill)
  expect(await stowage(['doctor'], { signal: AbortSignal.abort(new Error('Ctrl-C')) })).toMatchObject({
    code: 130,
    stdout: '',
  })
})

test('where there is no registry, or no database, that is said', async () => {
  const { data } = await upkeepWorld(false, fill)
  expect(await runClientCommand(['doctor', '--data', join(data, 'no')])).toMatchObject({ code: 66, stdout: '' })
  rmSync(join(data, 'registry.db'))
  writeFileSync(join(data, 'registry.db'), 'this is no database, it is a text of some length'.repeat(100))
  const damaged = await runClientCommand(['doctor', '--data', data])
  expect(damaged.code).toBe(73)
  expect(damaged.stderr).toMatch(/^stowage: /)
  expect(damaged.stderr).not.toMatch(/\n {4}at /)
})
