import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { JournalEvent } from './events.ts'
import { readJournal, startJournal } from './journal.ts'

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stowage-journal-'))
  path = join(directory, 'journal.jsonl')
})
afterEach(() => rmSync(directory, { recursive: true }))

const outcome = (operation: number): JournalEvent => ({
  type: 'outcome',
  operation,
  outcome: operation % 2 === 0 ? 'acknowledged' : 'unknown',
})

const read = async (): Promise<JournalEvent[]> => {
  const events: JournalEvent[] = []
  for await (const event of readJournal(path)) events.push(event)
  return events
}

test('what was flushed can be read by another process, in order, and its acknowledgements are counted', async () => {
  await using journal = startJournal(path)
  const events = Array.from({ length: 5000 }, (_none, index) => outcome(index))
  for (const event of events) journal.append(event)
  await journal.flushed()
  expect(journal.acknowledged()).toBe(2500)
  expect(await read()).toStrictEqual(events)
})

test('a line that was not finished is left out', async () => {
  {
    await using journal = startJournal(path)
    journal.append(outcome(1))
  }
  appendFileSync(path, '{"type":"cut","at":')
  expect(await read()).toStrictEqual([outcome(1)])
})

test('nothing counts as flushed when the other process is gone', async () => {
  const journal = startJournal(path)
  await journal[Symbol.asyncDispose]()
  journal.append(outcome(1))
  await expect(journal.flushed()).rejects.toThrow('The journal ended too early.')
})
