import type { Registry } from '@stowage/registry'
import { contentOf, index, indexType, sha256 } from './content.ts'
import { basic } from './credentials.ts'
import type { Difference, Outcome } from './matrix.ts'
import type { Product } from './product.ts'

type Requests = readonly (readonly [expected: number, method: string, path: string, body?: string])[]

/**
 * What the registry's own rules never say: a host program decides by the tag. It forbids the tag `kept`, however it is named,
 * and the repository `hidden`; everything else is allowed to everybody.
 */
const proveTags = async (product: Product): Promise<Outcome> => {
  let filling = true
  const registry = await product.createRegistry({
    storage: { metadata: await product.sqliteMetadata({ path: ':memory:' }), blobs: product.memoryBlobs() },
    access: {
      authorize: (_, action, { repository, tag }) => ({
        allow: filling || (repository !== 'hidden' && (tag !== 'kept' || action === 'pull')),
      }),
    },
  })
  try {
    const [kept, other] = [index('kept'), index('other')]
    const { loose } = contentOf('hidden')
    await send(registry, 'PUT', 'a/manifests/kept', kept.text)
    await send(registry, 'PUT', 'a/manifests/free', kept.text)
    await send(registry, 'POST', `hidden/blobs/uploads/?digest=${sha256(loose)}`, loose)
    filling = false
    const requests: Requests = [
      [200, 'GET', 'a/manifests/kept'],
      [403, 'PUT', 'a/manifests/kept', other.text],
      [403, 'PUT', `a/manifests/${other.digest}?tag=kept`, other.text],
      [403, 'PUT', `a/manifests/${other.digest}?tag=new&tag=kept`, other.text],
      [404, 'GET', 'a/manifests/new'],
      [201, 'PUT', `a/manifests/${other.digest}?tag=new`, other.text],
      [403, 'DELETE', 'a/manifests/kept'],
      [403, 'DELETE', `a/manifests/${kept.digest}`],
      [200, 'GET', 'a/manifests/free'],
      [202, 'DELETE', 'a/manifests/free'],
      [202, 'DELETE', `a/manifests/${other.digest}`],
      [403, 'GET', `hidden/blobs/${sha256(loose)}`],
      [202, 'POST', `a/blobs/uploads/?mount=${sha256(loose)}&from=hidden`],
      [202, 'POST', `a/blobs/uploads/?mount=${sha256(loose)}`],
    ]
    return await proveRequests(registry, requests, '{"repositories":[]}')
  } finally {
    await registry[Symbol.asyncDispose]()
  }
}

/** A host that allows everything to everybody, and somebody with a token of the registry's own that is for less. */
const proveNarrowing = async (product: Product): Promise<Outcome> => {
  const registry = await product.createRegistry({
    storage: { metadata: await product.sqliteMetadata({ path: ':memory:' }), blobs: product.memoryBlobs() },
    accounts: { secret: 'a secret that is used for nothing but this proof' },
    access: { authorize: () => ({ allow: true }), visible: () => ({ kind: 'all' }) },
  })
  try {
    const { accounts } = registry
    if (accounts === undefined) throw new Error('The registry has no accounts.')
    await accounts.addUser({ name: 'ann', password: 'correct horse battery' })
    const { secret } = await accounts.addToken({
      user: 'ann',
      label: 'narrow',
      permissions: [{ repositories: 'a/*', actions: ['pull', 'push'] }],
    })
    const login = basic('ann', secret)
    const [first, second] = [index('first'), index('second')]
    const loose = contentOf('b/app').loose
    for (const name of ['a/app', 'b/app']) await send(registry, 'PUT', `${name}/manifests/latest`, first.text)
    await send(registry, 'POST', `b/app/blobs/uploads/?digest=${sha256(loose)}`, loose)
    const token = async (scope: string): Promise<string> => {
      const url = `http://registry.test/auth/token?scope=${scope}`
      const answer = await registry.fetch(new Request(url, { headers: { authorization: login } }))
      return `Bearer ${((await answer.json()) as { token: string }).token}`
    }
    const requests: Requests = [
      [200, 'GET', 'a/app/manifests/latest'],
      [403, 'GET', 'b/app/manifests/latest'],
      [201, 'PUT', 'a/app/manifests/new', second.text],
      [403, 'PUT', 'a/app/manifests/latest', second.text],
      [403, 'DELETE', 'a/app/manifests/new'],
      [202, 'POST', `a/app/blobs/uploads/?mount=${sha256(loose)}&from=b/app`],
      [202, 'POST', `a/app/blobs/uploads/?mount=${sha256(loose)}`],
    ]
    const byToken = await proveRequests(registry, requests, '{"repositories":["a/app"]}', login)
    const scoped: Requests = [
      [200, 'GET', 'a/app/manifests/latest'],
      [401, 'GET', 'a/other/manifests/latest'],
      [403, 'GET', 'b/app/manifests/latest'],
      [401, 'PUT', 'a/app/manifests/newer', second.text],
      [401, 'GET', '_catalog'],
    ]
    const byBearer = await proveRequests(registry, scoped, undefined, await token('repository:a/app:pull'))
    return {
      cases: byToken.cases + byBearer.cases,
      differences: [...byToken.differences, ...byBearer.differences],
    }
  } finally {
    await registry[Symbol.asyncDispose]()
  }
}

export const proveHost = async (product: Product): Promise<Outcome> => {
  const [tags, narrowing] = [await proveTags(product), await proveNarrowing(product)]
  return {
    cases: tags.cases + narrowing.cases,
    differences: [...tags.differences, ...narrowing.differences],
  }
}

const send = async (
  registry: Registry,
  method: string,
  path: string,
  body?: string,
  authorization?: string,
): Promise<Response> =>
  registry.fetch(
    new Request(`http://registry.test/v2/${path}`, {
      method,
      headers: { 'content-type': indexType, ...(authorization !== undefined && { authorization }) },
      ...(body !== undefined && { body }),
    }),
  )

const proveRequests = async (
  registry: Registry,
  requests: Requests,
  list: string | undefined,
  authorization?: string,
): Promise<Outcome> => {
  const differences: Difference[] = []
  for (const [expected, method, path, body] of requests) {
    const { status } = await send(registry, method, path, body, authorization)
    if (status === expected) continue
    differences.push({ what: `${method} ${path}`, expected: String(expected), found: String(status) })
  }
  if (list === undefined) return { cases: requests.length, differences }
  const listed = await (await send(registry, 'GET', '_catalog', undefined, authorization)).text()
  if (listed !== list) differences.push({ what: 'GET _catalog', expected: list, found: listed })
  return { cases: requests.length + 1, differences }
}
