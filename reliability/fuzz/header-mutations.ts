import type { Random } from '../random.ts'
import { oddAuthorization } from './odd-credentials.ts'
import { oddNumber, oddPiece } from './odd-words.ts'
import { chance } from './random-choice.ts'
import type { Mutation } from './target-mutations.ts'
import type { World } from './world.ts'

/** Ways to spoil headers that leave no doubt where the request ends, and after which the server goes on. */
export const headerMutations: readonly Mutation[] = [
  (request, random) => set(request.lines, 'Range', oddRange(random)),
  (request, random) => set(request.lines, 'Content-Range', oddContentRange(random, request.body.byteLength)),
  (request, random, world) => set(request.lines, 'If-None-Match', oddTags(random, world)),
  (request, random, world) => set(request.lines, 'If-Range', oddTags(random, world)),
  (request, random, world) => set(request.lines, 'If-Match', oddTags(random, world)),
  (request, random) =>
    set(
      request.lines,
      'Accept',
      random.pick(['*/*', 'text/html', 'a', ';q=2', 'a/b,'.repeat(500), plain(oddPiece(random))]),
    ),
  (request, random, world) => set(request.lines, 'Content-Type', oddType(random, world)),
  (request, random) =>
    set(request.lines, 'Content-Encoding', random.pick(['gzip', 'identity', 'br, gzip', '', 'x'.repeat(1000)])),
  (request, random, world) => set(request.lines, 'Authorization', plain(oddAuthorization(random, world))),
  (request, random, world) => set(request.lines, 'Authorization', plain(oddAuthorization(random, world))),
  (request, random) =>
    set(
      request.lines,
      'Host',
      random.pick([
        '',
        ' ',
        'a b',
        'x:99999',
        '[::1]:1',
        'user:pw@host',
        '../..',
        '"',
        'h/path',
        'x'.repeat(3000),
        '*',
        plain(oddPiece(random)),
      ]),
    ),
  (request, random) => {
    request.lines.push(
      random.pick([
        'Origin: https://evil.example',
        'Origin: null',
        'Sec-Fetch-Site: cross-site',
        'Sec-Fetch-Site: same-origin',
        'X-Forwarded-For: 1.2.3.4, ::1',
        'X-Forwarded-Host: evil.example',
        'X-Forwarded-Proto: https',
        'Forwarded: for=unknown;host="a\\"b";proto=https',
        'X-HTTP-Method-Override: DELETE',
        'X-Original-URL: /v2/other/tags/list',
        'Cookie: session=1',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQAAP__',
        'Keep-Alive: timeout=99999999999',
        'TE: trailers, deflate;q=0.5',
        'Trailer: Content-Length',
        'Max-Forwards: -1',
        'Prefer: respond-async',
        'Docker-Content-Digest: sha256:0',
        'If-Modified-Since: yesterday',
        'Content-Length-X: 1',
      ]),
    )
  },
  (request, random) =>
    request.lines.push(`X-${random.pick(['a', 'Long', '_', '!#$'])}: ${'y'.repeat(random.pick([0, 100, 2000, 6000]))}`),
  (request, random) => {
    for (let times = random.pick([10, 100, 300]); times > 0; times -= 1) request.lines.push(`X-${times}: 1`)
  },
  (request, random) => {
    // A second line of what is there already; two `Host` are another matter.
    const line = random.pick(request.lines)
    if (!line.startsWith('Host')) request.lines.push(line)
  },
]

const set = (lines: string[], name: string, value: string): void => {
  const at = lines.findIndex((line) => line.startsWith(`${name}:`))
  if (at === -1) lines.push(`${name}: ${value}`)
  else lines[at] = `${name}: ${value}`
}

/** Without what would end the head, or be refused by the parser whatever stands around it. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const plain = (text: string): string => text.replaceAll(/[\0-\x08\x0a-\x1f\x7f]/g, '')

const oddRange = (random: Random): string =>
  random.pick([
    () => `bytes=${random.between(0, 99)}-${random.between(0, 99)}`,
    () => `bytes=${oddNumber(random)}-`,
    () => `bytes=-${oddNumber(random)}`,
    () => `bytes=0-${oddNumber(random)}`,
    () => `bytes=${'0-0,'.repeat(random.pick([2, 20, 1500]))}5-9`,
    () =>
      random.pick([
        'bytes',
        'bytes=',
        'bytes=-',
        'bytes 0-1',
        'items=0-1',
        'BYTES=0-0',
        'bytes= 0-0',
        'bytes=0-0;',
        '',
      ]),
  ])()

const oddContentRange = (random: Random, size: number): string =>
  random.pick([
    () => `0-${Math.max(0, size - 1)}`,
    () => `${random.between(0, 50)}-${random.between(0, 50)}`,
    () => `bytes 0-${Math.max(0, size - 1)}/${size}`,
    () => `0-${oddNumber(random)}`,
    () => `${oddNumber(random)}-${oddNumber(random)}`,
    () => random.pick(['-', '0-', '-0', '0', '0--1', '0 - 1', '0-1/*', '']),
  ])()

const oddTags = (random: Random, world: World): string =>
  random.pick([
    () => `"${random.pick(world.manifests).digest}"`,
    () => `W/"${random.pick(world.blobs).digest}"`,
    () => random.pick(['*', '', '"', '""', ',,,', 'W/', '"a", *', random.pick(world.manifests).digest]),
    () => '"a",'.repeat(random.pick([10, 1000])),
  ])()

const oddType = (random: Random, world: World): string =>
  random.pick([
    () => random.pick(world.manifests).mediaType,
    () => `${random.pick(world.manifests).mediaType}; charset=utf-8${';a=b'.repeat(random.pick([0, 500]))}`,
    () => random.pick(world.manifests).mediaType.toUpperCase(),
    () => random.pick(['', 'a', '/', 'text/html', 'multipart/form-data; boundary=', 'application/json', ';', 'a/b/c']),
    () => plain(oddPiece(random)),
    () => (chance(random, 0.5) ? 'application/x-www-form-urlencoded' : 'application/x-www-form-urlencoded;;'),
  ])()
