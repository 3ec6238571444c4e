import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'

/** A real OIDC issuer on the loopback address, as a CI system would be one. */
export interface OidcIssuer extends AsyncDisposable {
  readonly url: string
  /** What was asked of it, in order: paths. */
  readonly requests: string[]
  /** A signed JWT of a job. Its `sub` is always `job`. */
  token(options: { readonly audience: string; readonly claims?: object }): Promise<string>
  /** Signs with a new key, and forgets the old one. */
  rotate(): Promise<void>
}

/** The little of the package that is used here: it brings no types. */
interface ProviderModule {
  readonly default: new (issuer: string, configuration: object) => { callback(): RequestListener }
}

/** Nothing needs to be kept: its tokens are JWTs. */
const adapter = () => ({ upsert: async () => {}, find: async () => undefined })

const client = { id: 'job', secret: 'a secret of this test only' }

export const startOidcIssuer = async (
  algorithm: 'RS256' | 'ES256' | 'EdDSA' | 'PS256' = 'RS256',
): Promise<OidcIssuer> => {
  const name: string = 'oidc-provider'
  const { default: Provider } = (await import(name)) as ProviderModule
  let listener: RequestListener | undefined
  let extra: object = {}
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    listener?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const rotate = async (): Promise<void> => {
    const provider = new Provider(url, {
      adapter,
      ttl: { ClientCredentials: 300 },
      jwks: { keys: [await newKey(algorithm)] },
      clients: [
        {
          client_id: client.id,
          client_secret: client.secret,
          id_token_signed_response_alg: algorithm,
          grant_types: ['client_credentials'],
          response_types: [],
          redirect_uris: [],
        },
      ],
      extraTokenClaims: () => extra,
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_: unknown, resource: string) => ({
            scope: '',
            audience: decodeURIComponent(resource.slice('urn:audience:'.length)),
            accessTokenFormat: 'jwt',
            accessTokenTTL: 300,
            jwt: { sign: { alg: algorithm } },
          }),
        },
      },
    })
    listener = provider.callback()
  }
  await rotate()

  return {
    url,
    requests,
    rotate,
    token: async ({ audience, claims = {} }) => {
      extra = claims
      const response = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${client.id}:${encodeURIComponent(client.secret)}`)}` },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          resource: `urn:audience:${encodeURIComponent(audience)}`,
        }),
      })
      const body = (await response.json()) as { access_token?: string }
      if (body.access_token === undefined) throw new Error(`The issuer gave no token: ${JSON.stringify(body)}`)
      return body.access_token
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const newKey = async (algorithm: string): Promise<JWK> => {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return { ...(await exportJWK(privateKey)), use: 'sig', alg: algorithm, kid: crypto.randomUUID() }
}
