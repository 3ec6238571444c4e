import { addressOf } from './cast.ts'
import type { Answer } from './client.ts'
import { contentOf } from './content.ts'
import { basic, type Credential } from './credentials.ts'
import { askTheEndpoint } from './endpoint.ts'
import { listDifferences } from './lists.ts'
import {
  type PolicyKind,
  type PrincipalKind,
  repositories,
  type RepositoryKind,
  type Verdict,
  verdict,
} from './policy-model.ts'
import type { Product } from './product.ts'
import { wrongInRefusal } from './refusal.ts'
import { type Filling, type Place, type Variant, variantsOf } from './variants.ts'
import { keeper, names, openWorld, type World } from './world.ts'

/** One request, and what should come of it. */
export interface Case {
  readonly credential: Credential
  readonly route: string
  readonly template: string
  /** Undefined: the route names no repository. */
  readonly repository: RepositoryKind | undefined
  readonly variant: Variant
  readonly policy: PolicyKind | undefined
  readonly expected: Verdict
}

/** Methods that are tried on every route, one of them unheard of. */
export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'] as const

/** What the matrix says of one answer that is not as it should be. */
export interface Difference {
  readonly what: string
  readonly expected: string
  readonly found: string
}

export interface Outcome {
  readonly cases: number
  readonly differences: readonly Difference[]
}

export interface MatrixOptions {
  readonly policy?: PolicyKind
  /** Who asks; everybody by default. */
  readonly wants?: (principal: PrincipalKind, label?: string) => boolean
  /** Whether users of an htpasswd file are among them. Default true. */
  readonly file?: boolean
  /** Which of their requests are made; all by default. */
  readonly only?: (given: Case) => boolean
  /** Ends at the first difference. */
  readonly hasty?: boolean
  /** Ends after so many requests. */
  readonly most?: number
  /** Told how many of which verdict there were. */
  readonly count?: (expected: Verdict) => void
}

/** Every request there is, from the table of routes. */
export function* casesOf(product: Product, credential: Credential, policy?: PolicyKind): Generator<Case> {
  for (const [route, { scope }] of Object.entries(product.routes)) {
    // Its verdicts are about who asks for a token, and have a test of their own.
    if (scope === 'open') continue
    const template = product.routeTemplates[route as keyof typeof product.routeTemplates]
    const kinds = scope === 'registry' ? [undefined] : (credential.only ?? repositories)
    for (const repository of kinds) {
      for (const method of methods) {
        for (const variant of variantsOf(route, method)) {
          const { principal, transport } = credential
          const expected = verdict({
            principal,
            transport,
            repository,
            wanted: variant.wanted,
            ...(policy !== undefined && { policy }),
          })
          // That a route has no such method is the same for everybody.
          if (expected === '405' && variant.wanted.needs.length === 0 && credential.thorough !== true) continue
          yield { credential, route, template, repository, variant, policy, expected }
        }
      }
    }
  }
}

export const runMatrix = async (product: Product, options: MatrixOptions = {}): Promise<Outcome> => {
  const { policy, wants = () => true, only = () => true, hasty = false, most = Infinity } = options
  await using world = await openWorld(product, { policy, wants, file: options.file ?? true })
  const differences: Difference[] = []
  let cases = 0
  const note = (expected: Verdict, found: readonly Difference[]): boolean => {
    options.count?.(expected)
    differences.push(...found)
    return (hasty && found.length > 0) || cases >= most
  }
  for (const credential of world.credentials) {
    for (const given of casesOf(product, credential, policy)) {
      if (!only(given)) continue
      cases += 1
      if (note(given.expected, await ask(world, given, cases))) return { cases, differences }
    }
    const { login, transport } = credential
    if (login === undefined || policy !== undefined) continue
    cases += 1
    const found = await askTheEndpoint(world, credential, login, cases)
    if (note(transport.credential === 'refused' ? '401' : 'ok', found)) break
  }
  return { cases, differences }
}

const ask = async (world: World, given: Case, number: number): Promise<Difference[]> => {
  const { credential, variant, repository, expected } = given
  const place = await placeOf(world, given, number)
  const filling = variant.fill(place)
  const authorization = await credential.authorization(repository === undefined ? undefined : place.name)
  // How often somebody may be wrong is another test's business.
  if (credential.guess === true) world.pass(6500)
  const before = world.fingerprint()
  const answer = await world.client.send({
    method: variant.wanted.method,
    target: targetOf(given, place, filling),
    headers: {
      ...filling.headers,
      ...(authorization !== undefined && { authorization }),
      'x-forwarded-for': addressOf(number + 65_536),
    },
    ...(filling.body !== undefined && { body: filling.body }),
  })
  const found = verdictOf(answer, given)
  const what = describe(given)
  const differences: Difference[] = []
  if (found !== expected) differences.push({ what, expected, found: `${found}: ${answer.body.slice(0, 300)}` })
  if (answer.status >= 400) {
    if (world.fingerprint() !== before) differences.push({ what, expected: 'nothing changed', found: 'a change' })
    const wrong = wrongInRefusal(answer, given)
    if (wrong !== undefined) differences.push({ what, expected: wrong, found: JSON.stringify(answer.headers) })
  } else {
    if (given.route === 'catalog' && variant.wanted.method === 'GET') {
      differences.push(...listDifferences(answer, given.credential).map((one) => ({ what, ...one })))
    }
    try {
      await putRight(world, given, place, answer)
    } catch (error) {
      // After an answer that should not have been, nothing is as it was.
      if (differences.length === 0) throw error
    }
  }
  return differences
}

const placeOf = async (
  world: World,
  { credential, repository, variant, policy }: Case,
  number: number,
): Promise<Place> => {
  const { actor } = credential
  const nameOf = (kind: RepositoryKind): string => names[kind] ?? 'acme/nothing'
  const name = repository === undefined ? '' : world.nameOf(repository, credential)
  // Where nothing can be begun any more, an upload that nobody has is as good.
  const mayBegin = policy?.readOnly !== true
  if (mayBegin && variant.upload === 'stranger' && world.upload(keeper.name, name) === undefined) {
    await world.beginUpload(name, basic(keeper.name, keeper.password), keeper.name)
  }
  if (variant.upload === 'own' && world.upload(actor, name) === undefined) {
    await world.beginUpload(name, await credential.authorization(name), actor)
  }
  const elsewhere = repository === 'own' ? 'internal/app' : 'acme/app'
  if (variant.upload === 'own-elsewhere' && world.upload(actor, elsewhere) === undefined) {
    await world.beginUpload(elsewhere, await credential.authorization(elsewhere), actor)
  }
  return {
    kind: repository,
    name,
    content: contentOf(name),
    elsewhere: contentOf(nameOf(repository === 'other' ? 'own' : 'other')),
    nameOf,
    contentOf: (kind) => contentOf(nameOf(kind)),
    unique: String(number),
    upload: (whose) => {
      const found =
        whose === 'stranger' ? world.upload(keeper.name, name) : world.upload(actor, whose === 'own' ? name : elsewhere)
      if (found === undefined && mayBegin) throw new Error(`There is no upload of ${actor} in ${name}`)
      return found ?? '00000000-0000-4000-8000-000000000000'
    },
  }
}

const targetOf = ({ template }: Case, { name }: Place, { last = '', query }: Filling): string =>
  template
    .replace('<name>', name)
    .replace(/<(?:reference|digest|id)>/, last)
    .concat(query === undefined ? '' : `?${query}`)

const verdictOf = ({ status }: Answer, { variant: { wanted } }: Case): string => {
  if (wanted.mount !== undefined && status === 201) return 'mounted'
  if (wanted.mount !== undefined && status === 202) return 'upload'
  return status < 400 ? 'ok' : String(status)
}

/** The next request finds everything as this one did. */
const putRight = async (
  world: World,
  { credential, repository, variant, policy }: Case,
  place: Place,
  answer: Answer,
): Promise<void> => {
  const { method } = variant.wanted
  if (method === 'GET' || method === 'HEAD' || repository === undefined) return
  const begin = async (name: string): Promise<void> =>
    world.beginUpload(name, await credential.authorization(name), credential.actor)
  const isAbsent = repository.startsWith('absent')
  // Where nothing was mounted an upload began, which is in nobody's way. What was mounted is elsewhere now, and must not stay.
  const repairs = variant.wanted.mount === undefined ? !isAbsent : answer.status === 201
  const undone = policy?.deletionDisabled === true ? 'DELETE' : undefined
  for (const repair of repairs ? (variant.repair?.(place) ?? []) : []) {
    // What was added stays there then, under a name that nobody asks for.
    if (repair.method === undone) continue
    const status = await world.repair(repair)
    if (status >= 400) throw new Error(`${repair.method} ${repair.path} cannot be put right: ${status}`)
  }
  const begun = variant.upload === undefined ? answer.headers['docker-upload-uuid'] : undefined
  if (begun !== undefined) {
    const target = `/v2/${place.name}/blobs/uploads/${begun}`
    const authorization = await credential.authorization(place.name)
    await world.client.send({
      method: 'DELETE',
      target,
      headers: {
        ...(authorization !== undefined && { authorization }),
        'x-forwarded-for': addressOf(Number(place.unique)),
      },
    })
  }
  if (isAbsent && answer.status === 201) {
    // It is there now: from here on another one is the absent one, and has an upload as this one had.
    world.useUp(repository, credential)
    await begin(world.nameOf(repository, credential))
  } else if (variant.upload === 'own') {
    await begin(place.name)
  }
}

/** Who asked how for what where. */
export const describe = ({ credential, template, repository, variant, policy }: Case): string =>
  [
    credential.principal,
    `(${credential.label})`,
    variant.wanted.method,
    template,
    ...(variant.label === '' ? [] : [`(${variant.label})`]),
    ...(repository === undefined ? [] : [`of ${repository}`]),
    ...(policy === undefined ? [] : [`with ${Object.keys(policy).join(', ')}`]),
  ].join(' ')
