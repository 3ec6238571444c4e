import { expect, test } from 'vitest'
import { createPool } from './contents.ts'
import { type Happened, isLinearizable } from './linearizable.ts'
import type { Answer } from './answer.ts'
import { createModel } from './model.ts'
import type { Operation } from './operation.ts'

const pool = createPool(false)
const digest = pool.blobs[1]?.digest
const push: Operation = { do: 'push-blob', repository: 'a', blob: 1, way: 'one', wrong: false }
const pushed: Answer = { status: 201, digest, location: true }
const head: Operation = { do: 'head-blob', repository: 'a', blob: 1 }
const there: Answer = { status: 200, digest, size: 1 }
const absent: Answer = { status: 404 }

const did = (client: number, operation: Operation, answer: Answer, began: number, ended: number): Happened => ({
  client,
  operation,
  answer,
  began,
  ended,
})
const check = (...history: Happened[]): boolean => isLinearizable(history, createModel(pool))

test('what was acknowledged before is seen', () => {
  expect(check(did(1, push, pushed, 0, 1), did(2, head, there, 2, 3))).toBe(true)
  expect(check(did(1, push, pushed, 0, 1), did(2, head, absent, 2, 3))).toBe(false)
})

test('what goes on at the same time is seen or not', () => {
  for (const answer of [there, absent]) expect(check(did(1, push, pushed, 0, 3), did(2, head, answer, 1, 2))).toBe(true)
})

test('what was seen does not go away by itself', () => {
  const during = did(1, push, pushed, 0, 9)
  expect(check(during, did(2, head, absent, 1, 2), did(2, head, there, 3, 4))).toBe(true)
  expect(check(during, did(2, head, there, 1, 2), did(2, head, absent, 3, 4))).toBe(false)
})
