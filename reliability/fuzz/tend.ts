import { createHttpClient, type HttpClient, locationOf } from '../http.ts'
import { pushBlob } from '../image.ts'
import { basicOf } from './token-grammar.ts'
import { createWorldContent, type World } from './world.ts'

/** Keeps what the fuzz is about there: pushes again what the noise has removed, and begins uploads. */
export interface Tended {
  readonly world: World
  tend(): Promise<void>
}

const uploadsAtOnce = 24

export const createTended = async (url: string, account: World['account']): Promise<Tended> => {
  const content = createWorldContent()
  const world = { ...content, account, uploads: [] as string[], credentials: [] as string[] }
  if (account !== undefined) {
    using client = createHttpClient(url)
    const scopes = content.names.map((name) => `scope=repository:${name}:pull,push,delete`)
    const asked = await client.send('GET', `/auth/token?${[...scopes, 'scope=registry:catalog:*'].join('&')}`, {
      headers: { authorization: basicOf(account) },
    })
    const { token } = JSON.parse(asked.body.toString()) as { token?: string }
    if (token === undefined) throw new Error(`The server gave no token: ${asked.status} ${asked.body.toString()}`)
    // Mostly Bearer, as clients do it.
    world.credentials.push(`Bearer ${token}`, `Bearer ${token}`, `Bearer ${token}`, basicOf(account))
  }
  const headers = world.credentials[0] === undefined ? undefined : { authorization: world.credentials[0] }
  return {
    world,
    tend: async () => {
      // A client of its own each time: its connections would have ended in between.
      using plain = createHttpClient(url, { maxSockets: 8 })
      const client: HttpClient = {
        ...plain,
        send: async (method, path, options = {}) =>
          plain.send(method, path, { ...options, headers: { ...headers, ...options.headers } }),
      }
      await Promise.all(content.names.map(async (name) => pushAll(client, name, world)))
      const begun = await Promise.all(
        Array.from({ length: uploadsAtOnce }, async (_, at) =>
          client.send('POST', `/v2/${content.names[at % content.names.length] ?? ''}/blobs/uploads/`),
        ),
      )
      world.uploads.splice(0, Infinity, ...begun.filter(({ status }) => status === 202).map(locationOf))
    },
  }
}

const pushAll = async (client: HttpClient, name: string, { blobs, manifests, tags }: World): Promise<void> => {
  for (const blob of blobs) {
    const there = await client.send('HEAD', `/v2/${name}/blobs/${blob.digest}`)
    if (there.status === 404) await pushBlob(client, name, blob)
  }
  for (const [at, { digest, bytes, mediaType }] of manifests.entries()) {
    const tag = tags[at]
    // What is deleted meanwhile by the noise is not there at the next time either; the check at the end is stricter.
    await client.send('PUT', `/v2/${name}/manifests/${tag ?? digest}`, {
      headers: { 'content-type': mediaType },
      body: bytes,
    })
  }
}
