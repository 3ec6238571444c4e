import { describe, expect, it } from 'vitest'
import { explore } from '../simulated/explore.ts'
import { scenarios } from '../simulated/scenarios.ts'

const how = { seed: 1, limit: 16, recoverEvery: 5 }

const named = (name: string) => {
  const found = scenarios.find((scenario) => scenario.name === name)
  if (found === undefined) throw new Error(`There is no scenario ${name}.`)
  return found
}

it('has at least forty scenarios, each with a name of its own', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length)
  expect(scenarios.length).toBeGreaterThanOrEqual(40)
})

it.each([
  'a blob in chunks of several writes',
  'the first blob of sha512',
  'a blob is deleted and swept',
  'a push heals a file that was cut short',
  'the fsync of a directory fails under three pushes into it',
])('nothing is lost: %s', async (name) => {
  const { failures, starts, recoveries } = await explore(named(name), how)
  expect(failures).toEqual([])
  expect(starts).toBeGreaterThan(10)
  expect(recoveries).toBeGreaterThan(1)
})

describe('control: the same harness finds states that must not be', () => {
  const lost = async (name: string, without: NonNullable<Parameters<typeof explore>[1]['without']>) => {
    const { failures } = await explore(named(name), { ...how, without })
    // Not that the scenario itself went wrong: all its requests were answered as if all were well.
    expect(failures.filter((failure) => !failure.includes('cut after'))).toEqual([])
    return failures
  }

  it('when the fsync of files does nothing', async () => {
    const failures = await lost('a small blob in one request', 'file-sync')
    expect(failures.some((failure) => failure.includes('which is present, gave'))).toBe(true)
    expect(failures.some((failure) => failure.includes('bytes that are not its own'))).toBe(true)
  })

  it('when the fsync of directories does nothing', async () => {
    const failures = await lost('a small blob in one request', 'directory-sync')
    expect(failures.some((failure) => failure.includes('which is present, gave 404'))).toBe(true)
  })

  it('when rows come before bytes', async () => {
    const failures = await lost('a small blob in one request', 'bytes-before-rows')
    expect(failures.some((failure) => failure.includes('has no bytes'))).toBe(true)
  })
})
