import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

/** An issuer that says and serves whatever a test wants. */
export interface PlainIssuer extends AsyncDisposable {
  readonly url: string
  /** Paths, in order. */
  readonly requests: string[]
  /** What is served at a path: a value as JSON, or whatever the function does. Changing it changes what is served. */
  readonly pages: Map<string, unknown>
  readonly publicJwk: JWK
  /** A JWT with good claims, changed by what is given; `undefined` takes one out. */
  sign(claims?: Record<string, unknown>, header?: object): Promise<string>
}

export const discoveryPath = '/.well-known/openid-configuration'

export const startPlainIssuer = async (algorithm = 'ES256'): Promise<PlainIssuer> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm)
  const kid = crypto.randomUUID()
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }
  const requests: string[] = []
  const pages = new Map<string, unknown>()
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    const page = pages.get(request.url ?? '')
    if (typeof page === 'function') {
      const answer = page as RequestListener
      answer(request, response)
      return
    }
    if (page === undefined) response.statusCode = 404
    response.setHeader('content-type', 'application/json').end(JSON.stringify(page ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  pages.set(discoveryPath, { issuer: url, jwks_uri: `${url}/keys` })
  pages.set('/keys', { keys: [publicJwk] })

  return {
    url,
    requests,
    pages,
    publicJwk,
    sign: async (changes = {}, header = {}) => {
      const iat = Math.floor(Date.now() / 1000)
      const good = { iss: url, aud: 'stowage', sub: 'repo:team/app', iat, exp: iat + 300, repository: 'team/app' }
      const claims: JWTPayload = { ...good, ...changes }
      for (const [name, value] of Object.entries(claims)) if (value === undefined) delete claims[name]
      return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, ...header }).sign(privateKey)
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
