import { type Draft, bytesOf } from './draft.ts'
import { oddNumber, oddPiece } from './odd-words.ts'
import { chance } from './random-choice.ts'
import type { Mutation } from './target-mutations.ts'

/** Ways to leave a doubt where the request ends, or to make it no HTTP: nothing can follow on the same connection. */
const mutations: readonly Mutation[] = [
  // The length is not what comes.
  (request, random) => {
    const size = request.body.byteLength
    own(
      request,
      `Content-Length: ${random.pick([size + 1, size + 1000, Math.max(0, size - 1), -1, -size, 17_000_000, 2 ** 53, 'x'])}`,
    )
  },
  (request, random) => own(request, `Content-Length: ${oddNumber(random)}`),
  (request, random) => {
    const size = request.body.byteLength
    const other = random.pick([size, size + 1, 0, `${size}, ${size}`, `+${size}`])
    own(request, `Content-Length: ${size}`, `Content-Length: ${other}`)
  },
  // Two framings at once, as for smuggling.
  (request, random) => {
    request.body = Buffer.concat([chunk(request.body), Buffer.from(`0\r\n\r\n${random.pick(['', smuggled])}`)])
    const lines = [`Content-Length: ${random.pick([request.body.byteLength, 4, 0])}`, 'Transfer-Encoding: chunked']
    own(request, ...(chance(random, 0.5) ? lines : lines.toReversed()))
  },
  (request, random) => {
    request.body = Buffer.concat([chunk(request.body), Buffer.from('0\r\n\r\n')])
    own(
      request,
      random.pick([
        'Transfer-Encoding: gzip',
        'Transfer-Encoding: gzip, chunked',
        'Transfer-Encoding: chunked, gzip',
        'Transfer-Encoding: chunked, chunked',
        'Transfer-Encoding: xchunked',
        'Transfer-Encoding: \x0bchunked',
        'Transfer-Encoding : chunked',
        'Transfer-Encoding:\tCHUNKED ',
        'Transfer-Encoding: "chunked"',
        'Transfer-Encoding: identity',
        'transfer-encoding: chunked\r\nTransfer-Encoding: x',
        'Transfer-Encoding: chunked;q=0.1',
        'Transfer_Encoding: chunked',
      ]),
    )
  },
  // Chunks as they should not be.
  (request, random) => {
    const { body } = request
    const size = body.byteLength.toString(16)
    const text = body.toString('latin1')
    const wire = random.pick([
      () => `${size}\r\n${text}\r\nzz\r\n\r\n`,
      () => `${size}\r\n${text}0\r\n\r\n`,
      () => `${size}\n${text}\n0\n\n`,
      () => `-${size}\r\n${text}\r\n0\r\n\r\n`,
      () => `0x${size}\r\n${text}\r\n0\r\n\r\n`,
      () => `ffffffffffffffff1\r\n${text}\r\n0\r\n\r\n`,
      () => `7fffffffffffffff\r\n${text}`,
      () => `${size};${'a=b;'.repeat(random.pick([1, 100, 5000]))}\r\n${text}\r\n0\r\n\r\n`,
      () => `${size};"\0\r\n${text}\r\n0\r\n\r\n`,
      () => `${size}\r\n${text}\r\n0\r\nX: ${'y'.repeat(random.pick([1, 20_000]))}\r\n\r\n`,
      () => `${size}\r\n${text}\r\n0\r\nContent-Length: 5\r\nbad trailer\r\n\r\n`,
      () => `${size}\r\n${text}\r\n0\r\n\r\n0\r\n\r\n${smuggled}`,
      () => `${size}\r\n${text.slice(0, -1)}`,
      () => `${'0'.repeat(random.pick([10, 1000]))}${size}\r\n${text}\r\n0\r\n\r\n`,
      () => `1\r\na\r\n`.repeat(random.pick([3, 500])) + `0\r\n\r\n`,
    ])()
    own(request, 'Transfer-Encoding: chunked')
    request.body = Buffer.from(wire, 'latin1')
  },
  // Lines that are none.
  (request, random) => {
    const at = random.between(0, request.lines.length)
    request.lines.splice(
      at,
      0,
      random.pick([
        ' folded: line',
        'X: a\r\n  folded',
        'X: a\r\n\tfolded',
        'X : y',
        ': y',
        'no colon',
        'X: a\nY: b',
        'X: a\rY: b',
        'X: \0',
        'X\0: y',
        'X: \x7f',
        'X: \xff\xfe',
        '\xe9: y',
        `X: ${oddPiece(random)}`,
        `${oddPiece(random)}: y`,
        '\n',
        '\r',
        `X: ${'y'.repeat(random.pick([9000, 17_000, 70_000]))}`,
        Array.from({ length: 3000 }, (_, line) => `X${line}: y`).join('\r\n'),
      ]),
    )
  },
  (request, random) => {
    request.lines = request.lines.filter((line) => !line.startsWith('Host:'))
    if (chance(random, 0.5)) request.lines.push('Host: one', 'Host: two')
  },
  (request, random) => {
    request.lines.push(
      `Expect: ${random.pick(['100-continue', '100-Continue', '200-ok', '', '100-continue, x', 'x'.repeat(500)])}`,
    )
  },
  (request, random) => {
    request.lines.push(
      `Connection: ${random.pick(['close', 'keep-alive', 'upgrade', 'Host', 'close, keep-alive', 'x'.repeat(2000), ''])}`,
    )
    if (chance(random, 0.3)) request.lines.push('Upgrade: websocket', 'Sec-WebSocket-Key: AAAA')
  },
  (request, random) => {
    request.method = random.pick([
      'get',
      'Get',
      'TRACE',
      'PROPFIND',
      'CONNECT',
      'M-SEARCH',
      'PRI',
      '',
      'G\0ET',
      'GETT',
      'X'.repeat(500),
      'QUERY',
      '__proto__',
      'PURGE',
      'LINK',
      'OPTIONS',
      'SOURCE',
    ])
    if (request.framing === 'length' && request.body.byteLength === 0) request.framing = 'none'
  },
  (request, random) => {
    request.version = random.pick([
      'HTTP/1.0',
      'HTTP/0.9',
      'HTTP/2.0',
      'HTTP/1.2',
      'HTTP/9.9',
      'http/1.1',
      'HTTP/1.1 ',
      'HTTP/1.1x',
      'HTTP/11',
      'ICE/1.0',
      'RTSP/1.0',
      '',
      'x',
    ])
  },
  (request, random) => {
    request.method = random.pick(['\r\n\r\n', '\r\n', '\n', ' ', '\t', '\0']) + request.method
  },
  (request, random) => {
    request.path = random.pick([
      ` ${request.path}`,
      `${request.path} x`,
      `\t${request.path}`,
      request.path.replaceAll('/', '\x01'),
    ])
  },
  // No HTTP at all.
  (request, random) => {
    request.raw = random.pick([
      () => Buffer.from('16030100c2010000be0303', 'hex'),
      () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'),
      () => Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
      () => Buffer.from('\r\n'.repeat(random.pick([2, 5000]))),
      () => Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
      () => Buffer.from('{"jsonrpc":"2.0"}\n'),
      () => random.bytes(random.between(1, 3000)),
    ])()
  },
  // Any byte of it is another, or is gone.
  (request, random) => {
    const bytes = bytesOf(request, false)
    const at = random.between(0, bytes.byteLength - 1)
    if (chance(random, 0.5)) bytes[at] = random.between(0, 255)
    request.raw = chance(random, 0.5)
      ? bytes
      : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.between(1, 9))])
  },
]

export const framingMutations: readonly Mutation[] = mutations.map((mutate): Mutation => (request, random, world) => {
  mutate(request, random, world)
  request.last = true
})

const own = (request: Draft, ...lines: string[]): void => {
  request.framing = 'own'
  request.lines.push(...lines)
}

const chunk = (body: Buffer): Buffer =>
  body.byteLength === 0
    ? body
    : Buffer.concat([Buffer.from(`${body.byteLength.toString(16)}\r\n`), body, Buffer.from('\r\n')])

const smuggled = 'GET /v2/ HTTP/1.1\r\nHost: smuggled\r\n\r\n'
