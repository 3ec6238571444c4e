import { createTestRegistry } from '@stowage/testkit'
import { expect, it } from 'vitest'
import type { RequestSummary } from './handle.ts'

const basic = (name: string, password: string) => ({ authorization: `Basic ${btoa(`${name}:${password}`)}` })

it('a summary says from where, and at the token endpoint who logged in', async () => {
  const summaries: RequestSummary[] = []
  await using server = await createTestRegistry({
    accounts: {},
    trustedProxies: ['127.0.0.0/8'],
    onResponse: (summary) => void summaries.push(summary),
  })
  await server.registry.accounts?.addUser({ name: 'ada', password: 'correct horse' })
  const ask = async (headers: Record<string, string>): Promise<unknown> => {
    await (await fetch(`${server.url}/auth/token?service=stowage`, { headers })).arrayBuffer()
    const { actor, status, remoteAddress } = summaries.at(-1) ?? {}
    return { actor, status, remoteAddress }
  }
  expect(await ask({ ...basic('ada', 'correct horse'), 'x-forwarded-for': '192.0.2.7' })).toEqual({
    actor: 'ada',
    status: 200,
    remoteAddress: '192.0.2.7',
  })
  // Who it was to be is not known: people write passwords where the name belongs.
  expect(await ask(basic('ada', 'hunter2hunter2'))).toEqual({
    actor: 'anonymous',
    status: 401,
    remoteAddress: '127.0.0.1',
  })
  expect(await ask({})).toMatchObject({ actor: 'anonymous', status: 200 })
})
