import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openGuarded } from '../testing/guarded-registry.ts'

const digest = `sha256:${'0'.repeat(64)}`

describe('a client that waits to be told to go on', () => {
  const head = (path: string, authorization = ''): string =>
    `POST ${path} HTTP/1.1\r\nHost: registry.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n` +
    `${authorization === '' ? '' : `Authorization: ${authorization}\r\n`}\r\n`

  const received = async (port: number, request: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    socket.write(request)
    let answer = ''
    for await (const piece of socket) {
      answer += String(piece)
      if (answer.startsWith('HTTP/1.1 100')) break
      if (answer.includes('"errors"')) break
    }
    if (!socket.destroyed) {
      socket.destroy()
      await once(socket, 'close')
    }
    return answer
  }

  it('is told so only when its body is wanted', async () => {
    await using guarded = await openGuarded()
    const path = `/v2/private/blobs/uploads/?digest=${digest}`
    expect(await received(guarded.port, head(path))).toMatch(/^HTTP\/1.1 401 /)
    expect(await received(guarded.port, head(path, 'Bearer hunter2'))).toMatch(/^HTTP\/1.1 401 /)
    expect(await received(guarded.port, head(path.replace('private', 'other'), 'Bearer push'))).toMatch(
      /^HTTP\/1.1 403 /,
    )
    expect(await received(guarded.port, head('/auth/token'))).toMatch(/^HTTP\/1.1 415 /)
    expect(await received(guarded.port, head(path, 'Bearer push'))).toMatch(/^HTTP\/1.1 100 /)
  })

  it('is not told so when it sent too much already', async () => {
    await using guarded = await openGuarded({ rate: { take: () => 7 } })
    expect(await received(guarded.port, head('/v2/private/blobs/uploads/', 'Bearer push'))).toMatch(/^HTTP\/1.1 429 /)
  })
})
