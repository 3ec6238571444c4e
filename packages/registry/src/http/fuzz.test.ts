import { connect } from 'node:net'
import { type Answer, createTestRegistry, type OpenDoor, sample } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import type { Logger } from '../logger.ts'
import { createDice, type Dice, firstSeed, isOciError, volume } from '../testing/fuzzing.ts'

/** A connection that is open for longer hangs. Milliseconds; a machine that does much else besides needs many. */
const deadline = 10_000

const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const ociIndex = 'application/vnd.oci.image.index.v1+json'
const image = sample.image('fuzzed')
const maxManifestSize = 10_000
const odd = [
  '',
  ' ',
  '%00',
  '%2e%2e',
  '..',
  '.',
  '%',
  '%3A',
  '//',
  '\\',
  ';',
  '#',
  '?',
  '&',
  '=',
  '+',
  'é',
  '\x00',
  '\x7f',
  '_',
  '__proto__',
]
const words = [
  'blobs',
  'manifests',
  'uploads',
  'tags',
  'list',
  'referrers',
  '_catalog',
  'v2',
  'a',
  'B',
  '0',
  'a-b',
  'a__b',
  'x'.repeat(300),
]

/** Requests as bytes, from the grammar of the routes, most of them wrong somewhere. */
const createRequests = (dice: Dice, uploads: () => readonly string[]) => {
  const { below, pick, chance } = dice
  let wild = true
  /** A value of a header: strange bytes in one end most requests at the parser. */
  const strange = (): string => (wild && chance(0.5) ? pick(odd) : pick(['x', '0', '"', ',', '=']))
  const name = (): string =>
    chance(wild ? 0.6 : 0.9)
      ? 'a/b'
      : Array.from({ length: 1 + below(4) }, () => (chance(0.8) ? pick(words) : pick(odd))).join('/')
  const digest = (): string =>
    pick([
      image.digest,
      image.layer.digest,
      image.config.digest,
      sample.sha256(Buffer.from('')),
      `sha256:${'0'.repeat(64)}`,
      `sha512:${'0'.repeat(128)}`,
      `sha256:${'0'.repeat(below(130))}`,
      `${pick(['md5', 'SHA256', 'sha-256', '', 'sha256+b64'])}:${'a'.repeat(64)}`,
      image.digest.replace(':', '%3A'),
      pick(odd),
    ])
  const tag = (): string => pick(['latest', 'v1', 'x'.repeat(below(200)), pick(odd), `${pick(words)}.${pick(words)}`])
  const upload = (): string =>
    chance(0.7) && uploads().length > 0
      ? pick(uploads())
      : `/v2/${name()}/blobs/uploads/${pick([pick(odd), '00000000-0000-4000-8000-000000000000'])}`
  const value = (): string =>
    pick([
      digest(),
      name(),
      tag(),
      `${below(2000)}`,
      '-1',
      '1e9',
      '9'.repeat(below(40)),
      pick(odd),
      'application/x+json',
    ])
  const query = (): string =>
    chance(wild ? 0.4 : 0.6)
      ? ''
      : `?${Array.from({ length: 1 + below(3) }, () => `${pick(['n', 'last', 'digest', 'mount', 'from', 'tag', 'artifactType', 'digest-algorithm', 'ns', '__proto__'])}=${value()}`).join('&')}`
  /** A path, and the methods that its route has. */
  const route = (): readonly [string, readonly string[]] =>
    pick([
      () => ['/v2/', ['GET', 'HEAD']] as const,
      () => ['/v2/_catalog', ['GET', 'HEAD']] as const,
      () => [`/v2/${name()}/tags/list`, ['GET', 'HEAD']] as const,
      () => [`/v2/${name()}/manifests/${pick([tag, digest])()}`, ['GET', 'HEAD', 'PUT', 'PUT', 'DELETE']] as const,
      () => [`/v2/${name()}/manifests/${pick(['latest', image.digest])}`, ['GET', 'GET', 'HEAD', 'PUT']] as const,
      () => [`/v2/${name()}/blobs/${digest()}`, ['GET', 'HEAD', 'DELETE']] as const,
      () => [`/v2/${name()}/blobs/${image.layer.digest}`, ['GET', 'GET', 'HEAD']] as const,
      () => [`/v2/${name()}/blobs/uploads/`, ['POST']] as const,
      () => [upload(), ['GET', 'HEAD', 'PATCH', 'PATCH', 'PUT', 'PUT', 'DELETE']] as const,
      () => [`/v2/${name()}/referrers/${digest()}`, ['GET', 'HEAD']] as const,
      () =>
        [
          Array.from({ length: below(8) }, () => `/${chance(0.7) ? pick(words) : pick(odd)}`).join(''),
          ['GET', 'POST', 'PUT'],
        ] as const,
    ])()
  const mutate = (text: string): string => {
    if (text === '') return text
    const at = below(text.length)
    return pick([
      () => text.slice(0, at) + pick(odd) + text.slice(at),
      () => text.slice(0, at) + text.slice(at + 1 + below(3)),
      () => `${text.slice(0, at)}%${text.charCodeAt(at).toString(16).padStart(2, '0')}${text.slice(at + 1)}`,
      () => text.slice(0, at) + text.slice(at).toUpperCase(),
      () => text + text.slice(at),
      () => `${text}/`,
      () => `http://${pick(['registry.test', '', 'a:b@c:99999', '[::1]', 'evil\\'])}${text}`,
    ])()
  }
  const body = (): Buffer =>
    pick([
      () => Buffer.alloc(0),
      () => Buffer.from(image.layer.bytes),
      () => Buffer.from(image.manifest),
      () => Buffer.from(image.manifest),
      () => Buffer.alloc(maxManifestSize + 1, ' '),
      () => Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] })),
      () => Buffer.alloc(below(3000), below(256)),
      () => Buffer.from('{"schemaVersion":2,"layers":'.repeat(below(100))),
    ])()
  const headers = (size: number): string[] => {
    const lines: string[] = []
    const maybe = (likely: number, line: () => string): void => void (chance(likely) && lines.push(line()))
    maybe(0.97, () => `Host: ${chance(0.95) ? 'registry.test' : strange()}`)
    maybe(
      0.4,
      () =>
        `Content-Type: ${pick([ociManifest, ociIndex, 'application/octet-stream', 'text/html', 'a', strange(), `${ociManifest}; a=b`])}`,
    )
    maybe(
      0.25,
      () =>
        `Content-Range: ${pick([`0-${size - 1}`, `${below(9)}-${below(99)}`, 'bytes 0-1/2', '9'.repeat(below(30)), '-', strange()])}`,
    )
    maybe(
      0.3,
      () =>
        `Range: ${pick(['bytes=0-0', `bytes=-${below(99)}`, `bytes=${below(99)}-`, 'bytes=1-0', 'bytes=0-1,3-4', `bytes=${'9'.repeat(below(30))}-`, strange()])}`,
    )
    maybe(0.1, () => `If-None-Match: ${pick(['*', `"${image.digest}"`, '*', 'W/"x"', strange()])}`)
    maybe(0.05, () => `If-Range: ${pick([`"${image.digest}"`, strange()])}`)
    maybe(0.05, () => `Content-Encoding: ${pick(['gzip', 'identity', strange()])}`)
    maybe(0.05, () => `Accept: ${pick([ociIndex, '*/*', strange()])}`)
    maybe(0.03, () => `Expect: ${pick(['100-continue', strange()])}`)
    maybe(0.05, () => `X-${pick(words)}: ${'y'.repeat(below(2000))}`)
    maybe(0.02, () => `${strange()}: ${strange()}`)
    maybe(0.02, () => ` folded: ${strange()}`)
    return lines
  }
  return (): { text: Buffer; method: string } => {
    // Half of them have at most one thing wrong, or only the first would ever be noticed.
    wild = chance(0.5)
    const [path, methods] = route()
    const method = chance(wild ? 0.7 : 0.97)
      ? pick(methods)
      : pick(['GET', 'POST', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'get', 'M-SEARCH', '__proto__', 'PRI', pick(odd)])
    let target = path + query()
    for (let times = wild ? below(3) : 0; times > 0; times--) target = mutate(target)
    const content = ['POST', 'PUT', 'PATCH'].includes(method) || chance(0.05) ? body() : Buffer.alloc(0)
    const lines = [
      `${method} ${target} HTTP/${chance(wild ? 0.95 : 1) ? '1.1' : pick(['1.0', '0.9', '2.0', '9.9', 'x'])}`,
      ...headers(content.length),
      'Connection: close',
    ]
    let sent: Buffer = content
    const framing = wild ? dice.next() : 0.8 * dice.next()
    if (framing < 0.6) lines.push(`Content-Length: ${content.length}`)
    else if (framing < 0.8) {
      lines.push('Transfer-Encoding: chunked')
      const end = chance(0.9) ? '\r\n0\r\n\r\n' : pick(['', '\r\n', '\r\nzz\r\n', '\r\n0\r\nX: y\r\n\r\n'])
      sent =
        content.length === 0
          ? Buffer.from('0\r\n\r\n')
          : Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from(end)])
    } else if (framing < 0.9)
      lines.push(
        `Content-Length: ${pick([content.length + 1, Math.max(0, content.length - 1), '-1', '1e3', '9'.repeat(below(30)), pick(odd)])}`,
      )
    else if (framing < 0.93)
      lines.push(
        `Content-Length: ${content.length}`,
        pick(['Transfer-Encoding: chunked', `Content-Length: ${content.length + 1}`, 'Transfer-Encoding: gzip']),
      )
    return { text: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), sent]), method }
  }
}

const exchange = async (port: number, request: Buffer): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    const timer = setTimeout(() => {
      answer = 'HANGS'
      socket.destroy()
    }, deadline)
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(answer)
    })
    // The end of our side: a request that promises more than it has is then known to be broken.
    socket.end(request)
  })

/** What is wrong with an answer; undefined when nothing is. */
const problemOf = (answer: string, method: string): string | undefined => {
  if (answer === 'HANGS') return 'no end of the connection'
  // Nothing at all: the request was cut off before it was whole.
  if (answer === '') return undefined
  const [head = '', ...rest] = answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n')
  const body = rest.join('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0)
  if (status < 200 || status >= 500) return `status ${status}`
  if (/\r\nHTTP\/1\.1 5\d\d/.test(body)) return 'a second answer with a 5xx'
  const headers = new Map(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  const location = headers.get('location')
  if (location !== undefined && !/^\/v2\/[a-z0-9._/-]+\/(blobs|manifests)\/[a-z0-9/:-]+$/.test(location))
    return `Location ${location}`
  // What Node's parser refuses has no body.
  if (status < 400 || !headers.has('docker-distribution-api-version')) return undefined
  const length = Number(headers.get('content-length'))
  if (method === 'HEAD') return body === '' ? undefined : 'a body for HEAD'
  const text = Buffer.from(body, 'latin1').subarray(0, length).toString()
  try {
    return isOciError(text) ? undefined : `not an OCI error: ${text}`
  } catch {
    return `not JSON: ${text}`
  }
}

const loud = (): { logger: Logger; errors: string[] } => {
  const errors: string[] = []
  const quiet = (): void => {}
  const error = (facts: object, message: string): void =>
    void errors.push(`${message} ${'err' in facts ? String(facts.err) : ''}`)
  return { logger: { debug: quiet, info: quiet, warn: quiet, error }, errors }
}

describe('requests as nobody should send them', () => {
  it(
    `are answered, over raw TCP, and never with a 5xx (${volume} from seed ${firstSeed})`,
    { timeout: deadline + 20 * volume },
    async () => {
      const { logger, errors } = loud()
      await using server = await createTestRegistry({
        logger,
        manifests: { allowMissingBlobs: true, maxSize: maxManifestSize },
      })
      const port = Number(new URL(server.url).port)
      const send: OpenDoor['send'] = async (method, target, options = {}) => {
        const response = await server.registry.fetch(
          new Request(server.url + target, { method, ...options, duplex: 'half' }),
        )
        const bytes = new Uint8Array(await response.arrayBuffer())
        return {
          status: response.status,
          header: (name) => response.headers.get(name),
          bytes,
          text: () => Buffer.from(bytes).toString(),
        } as Answer
      }
      await sample.pushImage({ send }, 'a/b', 'latest', image)
      let uploads: string[] = []
      const counts = new Map<string, number>()
      const workers = 8
      let sent = 0
      await Promise.all(
        Array.from({ length: workers }, async (_, worker) => {
          const requests = createRequests(createDice(firstSeed * 1000 + worker), () => uploads)
          while (sent < volume) {
            sent += 1
            if (sent % 200 === 1) {
              uploads = []
              for (let at = 0; at < 5; at++)
                uploads.push((await send('POST', '/v2/a/b/blobs/uploads/')).header('location') ?? '')
              // What the noise deletes is put back.
              await sample.pushImage({ send }, 'a/b', 'latest', image)
            }
            const { text, method } = requests()
            const answer = await exchange(port, text)
            const problem = problemOf(answer, method)
            if (problem !== undefined)
              throw new Error(
                `${problem}\n${JSON.stringify(text.toString('latin1'))}\n${JSON.stringify(answer.slice(0, 1000))}`,
              )
            const status = answer.slice(9, 12)
            counts.set(status, (counts.get(status) ?? 0) + 1)
          }
        }),
      )
      expect(errors).toEqual([])
      // The noise reached the rooms behind the door: a fuzzer that only sees 400 tests nothing.
      for (const status of ['200', '201', '202', '204', '206', '304', '400', '404', '405', '416']) {
        expect([status, counts.get(status) ?? 0]).not.toEqual([status, 0])
      }
      const other = sample.image('after the noise')
      await sample.pushImage({ send }, 'still/works', 'latest', other)
      const pulled = await fetch(`${server.url}/v2/still/works/manifests/latest`)
      expect(sample.sha256(await pulled.bytes())).toBe(other.digest)
    },
  )
})
