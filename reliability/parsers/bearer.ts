import { generateKeyPairSync, sign } from 'node:crypto'
import { type Bearer, createBearer } from '../../packages/registry/src/accounts/tokens/bearer.ts'
import type { KeyRing } from '../../packages/registry/src/accounts/tokens/key-ring.ts'
import type { SigningKey } from '../../packages/registry/src/accounts/tokens/signing-key.ts'
import { isFault } from './fault.ts'

/** Tokens that are signed by the one key there is. */
export interface SignedBearer {
  /** One that is good. */
  good(): Promise<string>
  /** One that says the same under another header, with a signature that fits. */
  signed(header: object): Promise<string>
  /** Whether it is taken; what is not must be refused as a token that is not good, and in no other way. */
  takes(token: string): Promise<boolean>
}

export const keyId = 'own'
export const algorithm = 'EdDSA'

export const createSignedBearer = (): SignedBearer => {
  const pair = generateKeyPairSync('ed25519')
  const options = [{ name: 'Ed25519' }, true] as const
  let made: Promise<{ readonly bearer: Bearer; readonly token: string }> | undefined

  const make = async (): Promise<{ readonly bearer: Bearer; readonly token: string }> => {
    const jwk = pair.privateKey.export({ format: 'jwk' })
    const { d: _, ...publicJwk } = jwk
    const key: SigningKey = {
      id: keyId,
      algorithm,
      publicKey: await crypto.subtle.importKey('jwk', publicJwk, ...options, ['verify']),
      privateKey: await crypto.subtle.importKey('jwk', jwk, ...options, ['sign']),
      createdAt: 0,
    }
    const keys: KeyRing = {
      current: async () => key,
      verifier: async (kid) => (kid === keyId ? key : undefined),
      rotate: () => Promise.reject(new Error('There is one key.')),
      list: async () => [],
      refresh: () => {},
      prune: async () => 0,
    }
    const bearer = createBearer({ keys, service: 'registry.test', lifetime: 3600, now: Date.now })
    const access = [{ type: 'repository', name: 'a', actions: ['pull'] }]
    const { token } = await bearer.issue({ subject: 'ada', stw: { kind: 'user', uid: 'u' }, access })
    return { bearer, token }
  }
  const ready = async (): ReturnType<typeof make> => (made ??= make())

  return {
    good: async () => (await ready()).token,
    signed: async (header) => {
      const [, claims = ''] = (await ready()).token.split('.')
      const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims}`
      return `${input}.${sign(null, Buffer.from(input), pair.privateKey).toString('base64url')}`
    },
    takes: async (token) => {
      const { bearer } = await ready()
      try {
        await bearer.verify(token)
        return true
      } catch (error) {
        if (isFault('unauthorized')(error)) return false
        throw error
      }
    },
  }
}
