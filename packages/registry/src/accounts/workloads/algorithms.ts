/** Signatures of others that are taken: asymmetric ones only, so that a public key is never taken for a shared secret. */
export const trustedAlgorithms: string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
