import { hashSync } from 'bcryptjs'
import { expect, it } from 'vitest'
import { createBcrypt } from './bcrypt.ts'

const right = hashSync('wonder', 4)
/** As long as a hash, but none: the thread dies of it. */
const deadly = 'x'.repeat(60)

it('a thread that dies takes one comparison with it, and the next one has another', async () => {
  await using bcrypt = createBcrypt()
  for (let round = 0; round < 3; round += 1) {
    const asked = ['wonder', 'land', 'wonder'].map((password, index) =>
      bcrypt.compare(password, index === 1 ? deadly : right),
    )
    expect(await Promise.allSettled(asked)).toMatchObject([
      { status: 'fulfilled', value: true },
      { status: 'rejected' },
      { status: 'fulfilled', value: true },
    ])
  }
})

it('at the end what is under way ends, and what waits is refused', async () => {
  const bcrypt = createBcrypt()
  const asked = Promise.allSettled([bcrypt.compare('wonder', right), bcrypt.compare('wonder', right)])
  await bcrypt[Symbol.asyncDispose]()
  expect(await asked).toMatchObject([
    { status: 'fulfilled', value: true },
    { status: 'rejected', reason: { fault: 'overloaded' } },
  ])
  expect(bcrypt.work).toBe(1)
})
