import type { Random } from '../random.ts'
import type { Draft } from './draft.ts'
import { oddDigest, oddNumber, oddPiece, routeWords } from './odd-words.ts'
import { chance } from './random-choice.ts'
import type { World } from './world.ts'

export type Mutation = (request: Draft, random: Random, world: World) => void

const place = (random: Random, text: string): number => random.between(0, Math.max(0, text.length - 1))

/** Ways to spoil a path. */
export const pathMutations: readonly Mutation[] = [
  (request, random) => {
    const at = place(random, request.path)
    request.path = request.path.slice(0, at) + oddPiece(random) + request.path.slice(at)
  },
  (request, random) => {
    const at = place(random, request.path)
    request.path = request.path.slice(0, at) + request.path.slice(at + random.between(1, 4))
    // Nothing at all would be another request line.
    if (request.path === '') request.path = '/'
  },
  (request, random) => {
    const at = place(random, request.path)
    const code = request.path.charCodeAt(at).toString(16).padStart(2, '0')
    request.path = `${request.path.slice(0, at)}%${chance(random, 0.5) ? code : code.toUpperCase()}${request.path.slice(at + 1)}`
  },
  (request, random) => {
    const at = place(random, request.path)
    request.path = request.path.slice(0, at) + request.path.slice(at).toUpperCase()
  },
  (request, random) => {
    request.path += random.pick([
      '/',
      '//',
      '/.',
      '/..',
      '/../..',
      ';a=b',
      '/%2e',
      '%20',
      '/list',
      '/uploads/',
      '.json',
    ])
  },
  // One segment is another.
  (request, random, world) => {
    const segments = request.path.split('/')
    segments[random.between(1, segments.length)] = random.pick([
      () => oddPiece(random),
      () => random.pick(routeWords),
      () => oddDigest(random, random.pick(world.blobs).digest),
      () => 'x'.repeat(random.pick([128, 129, 255, 256, 4000])),
      () => '00000000-0000-4000-8000-000000000000',
    ])()
    request.path = segments.join('/')
  },
  (request, random, world) => {
    const [known = ''] = /(?:sha256|sha512):[0-9a-f]+/.exec(request.path) ?? []
    request.path =
      known === ''
        ? `/v2/${random.pick(world.names)}/blobs/${oddDigest(random, 'sha256:0')}`
        : request.path.replace(known, oddDigest(random, known))
  },
  // A name of a repository of any shape.
  (request, random) => {
    const words = Array.from({ length: random.between(1, 6) }, () =>
      chance(random, 0.7)
        ? random.pick(['a', 'b0', 'a-b', 'a__b', 'a..b', '-a', 'A', ...routeWords])
        : oddPiece(random),
    )
    request.path = request.path.replace(/^\/v2\/(?:a\/b|fuzz\/\w+|x)\//, `/v2/${words.join('/')}/`)
  },
  (request, random) => {
    request.path = Array.from(
      { length: random.between(0, 9) },
      () => `/${chance(random, 0.6) ? random.pick(routeWords) : oddPiece(random)}`,
    ).join('')
    if (request.path === '') request.path = '/'
  },
  // Absolute form, authority form, asterisk form.
  (request, random) => {
    const authority = random.pick(['registry.test', '', 'a:b@c:99999', '[::1]', 'evil\\', '%00', 'x'.repeat(300), '..'])
    request.path = random.pick([
      `http://${authority}${request.path}`,
      `HTTPS://${authority}`,
      `${authority}:443`,
      '*',
      'x',
    ])
    request.last = true
  },
  (request, random) => {
    request.path += `/${random.pick(['a', '%41', 'é', 'a/', '%2f', '../'])}`.repeat(random.pick([10, 100, 1000, 3000]))
    request.last = true
  },
]

const parameters: readonly string[] = [
  'n',
  'last',
  'digest',
  'mount',
  'from',
  'tag',
  'artifactType',
  'digest-algorithm',
  'scope',
  'service',
  'account',
  'offline_token',
  'ns',
  '_state',
  '__proto__',
  '',
]

/** Ways to spoil a query. */
export const queryMutations: readonly Mutation[] = [
  (request, random, world) => {
    for (let times = random.between(1, 3); times > 0; times -= 1)
      request.query.push(`${random.pick(parameters)}=${value(random, world)}`)
  },
  (request, random) => {
    request.query.push(`${random.pick(['n', 'n', 'last', 'digest', 'tag'])}=${oddNumber(random)}`)
  },
  // The same name twice, or very often.
  (request, random, world) => {
    const name = random.pick(parameters)
    const times = random.pick([2, 2, 3, 101, 400])
    const values = Array.from({ length: Math.min(times, 4) }, () => value(random, world).slice(0, 80))
    for (let at = 0; at < times; at += 1) request.query.push(`${name}=${values[at % values.length] ?? ''}`)
    if (times > 100) request.last = true
  },
  (request, random) => {
    request.query.push(
      `${random.pick(parameters)}=${random.pick(['a', '%41', '9', '%', '&', '+', '%e5']).repeat(random.pick([1000, 5000, 10_000]))}`,
    )
    request.last = true
  },
  (request, random) => {
    request.query.push(
      random.pick(['&&', '=', '==', '%', '%zz=%zz', '?n=1', '#n=1', 'n[]=1', 'n=1;n=2', '%6e=1', '%00', '\xff']),
    )
  },
  (request, random) => {
    const at = random.between(0, Math.max(0, request.query.length - 1))
    request.query[at] = `${request.query[at] ?? 'n='}${oddPiece(random)}`
  },
]

const value = (random: Random, world: World): string =>
  random.pick([
    () => oddDigest(random, random.pick(world.blobs).digest),
    () => random.pick(world.blobs).digest,
    () => random.pick(world.names),
    () => random.pick(world.tags),
    () => oddNumber(random),
    () => oddPiece(random),
    () => random.pick(['application/x+json', 'text/html', 'a', '/', 'a/b/c', 'sha512', 'md5', 'true']),
    () => `repository:${random.pick(world.names)}:pull`.repeat(random.pick([1, 1, 2, 200])),
  ])()
