import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An OIDC issuer on the loopback address, such as a CI system has. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string
  /** An ID token with these claims. Times are seconds since the epoch. */
  token(claims: { sub: string; aud: string; iat: number; exp: number } & Record<string, unknown>): string
}

export const startIssuer = async (): Promise<TestIssuer> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'of-the-issuer', alg: 'ES256', use: 'sig' }
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }))
    } else {
      response.end(JSON.stringify({ keys: [key] }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    url,
    token: (claims) => {
      const head = encode({ alg: 'ES256', typ: 'JWT', kid: key.kid })
      const body = encode({ iss: url, nbf: claims.iat, ...claims })
      const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${head}.${body}.${signature.toString('base64url')}`
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve).closeAllConnections())
    },
  }
}
