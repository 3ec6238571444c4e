import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CopyEvent } from '@stowage/client'
import { parseDigest } from '@stowage/oci'
import { describe, expect, test } from 'vitest'
import { createProgress, followCopy } from './progress.ts'
import { createStatus } from './status.ts'

const open = (isTTY: boolean, { quiet = false, tty = true, columns = 80, rows = 24, colours = 1 } = {}) => {
  const stream = Object.assign(new PassThrough(), isTTY ? { isTTY, columns, rows, getColorDepth: () => colours } : {})
  let written = ''
  stream.on('data', (part: Buffer) => (written += part.toString()))
  const status = createStatus(stream, { quiet, tty })
  return { status, progress: createProgress(status), written: () => written }
}

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`

describe('on a terminal', () => {
  test('all that is under way has a bar, and what is done stays above them', async () => {
    const { status, progress, written } = open(true)
    progress.begin(digest('a'), 1000)
    progress.begin(digest('b'), 4000)
    progress.move(digest('a'), 500)
    progress.move(digest('b'), 1000)
    await expect.poll(written).toContain('0 of 2 done')
    expect(written()).toMatch(/sha256:aaaaaaaaaaaa {2}\[=+ +\] {2}50 % {2}500 B of 1000 B/)
    expect(written()).toMatch(/sha256:bbbbbbbbbbbb {2}\[=+ +\] {2}25 % {2}1000 B of 3\.9 KiB/)
    const before = written().length
    progress.done(digest('a'), 'copied')
    // Three rows up, everything below erased, then the line, then the rows that are left.
    const [copied, ...below] = written().slice(before).split('\n')
    expect(copied).toBe('\u001b[3A\r\u001b[Jcopied    sha256:aaaaaaaaaaaa  1000 B')
    expect(below).toEqual([expect.stringMatching(/^sha256:b/), '1 of 2 done', ''])
    status[Symbol.dispose]()
    expect(written().endsWith('\u001b[2A\r\u001b[J')).toBe(true)
  })

  test('no row is wider than the screen, and there are no more than it has', async () => {
    const { progress, written } = open(true, { columns: 30, rows: 6 })
    for (const letter of 'abcdef') {
      progress.begin(digest(letter), 1000)
      progress.move(digest(letter), 10)
    }
    await expect.poll(written).toContain('sha256:d')
    expect(written()).not.toContain('sha256:e')
    for (const line of written().split('\n')) expect(line.length).toBeLessThan(30)
  })

  test('numbers have room before the bar has, and no columns are 80', async () => {
    for (const columns of [80, 0]) {
      const { progress, written } = open(true, { columns })
      progress.begin(digest('a'), 1000 * 1024 * 1024)
      await sleep(510)
      progress.move(digest('a'), 500 * 1024 * 1024)
      await expect
        .poll(written)
        .toMatch(/sha256:aaaaaaaaaaaa {2}\[=+ +\] {2}50 % {2}500\.0 MiB of 1000\.0 MiB {2}[\d.]+ MiB\/s\n/)
      for (const line of written().split('\n')) expect(line.length).toBeLessThan(80)
    }
  })

  test('requests that --debug shows are in no colour', () => {
    const { status, written } = open(true, { colours: 24, quiet: true })
    status.trace('GET https://registry.example/v2/ 200 5 ms')
    expect(written()).toBe('GET https://registry.example/v2/ 200 5 ms\n')
  })

  test('--no-tty and --quiet draw nothing', async () => {
    for (const options of [{ tty: false }, { quiet: true }]) {
      const { progress, written } = open(true, options)
      progress.begin('x', 10)
      progress.move('x', 5)
      await sleep(150)
      expect(written()).toBe('')
    }
  })
})

describe('elsewhere', () => {
  test('a line for each that is done', () => {
    const { progress, written } = open(false)
    progress.begin(digest('a'), 1024)
    progress.move(digest('a'), 512)
    progress.done(digest('a'), 'copied')
    expect(written()).toBe('copied    sha256:aaaaaaaaaaaa  1.0 KiB\n')
  })

  test('quiet says errors only', () => {
    const { status, progress, written } = open(false, { quiet: true })
    status.line('not this')
    progress.begin('x', 1)
    progress.done('x', 'copied')
    status.error('this')
    expect(written()).toBe('this\n')
  })

  test('nothing that a terminal would obey gets through, and a colour only where there are some', () => {
    const words = String.raw` \u001b[2J\u0007 words` + '\n'
    for (const [colours, first] of [
      [1, 'evil'],
      [24, '\u001b[32mevil\u001b[39m'],
    ] as const) {
      const { status, written } = open(true, { colours })
      status.line('evil \u001b[2J\u0007 words', 'green')
      expect(written()).toBe(first + words)
    }
  })
})

test('a copy shows its blobs and its retries, and ends with its error', async () => {
  const { progress, status, written } = open(false)
  const descriptor = { mediaType: 'x/y', digest: parseDigest(digest('a')), size: 5 }
  const events = async function* (): AsyncIterable<CopyEvent> {
    yield { type: 'found', role: 'blob', descriptor }
    yield { type: 'progress', descriptor, sent: 2 }
    yield { type: 'done', role: 'blob', descriptor, outcome: 'mounted' }
    throw new Error('it broke')
  }
  await expect(followCopy(events(), progress, status)).rejects.toThrow('it broke')
  expect(written()).toBe('mounted   sha256:aaaaaaaaaaaa  5 B\n')
})
