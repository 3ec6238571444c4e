/** A password's hash by argon2id (RFC 9106), as the PHC string format writes it. */
export interface Argon2Hash {
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly salt: Uint8Array
  readonly tag: Uint8Array
}

/**
 * What is taken from a string. Weaker ones protect nobody; stronger ones would let whoever can write a hash stop the registry
 * with a single login. Bytes of salts and tags; KiB.
 */
export const phcBounds = {
  memory: { least: 8 * 1024, most: 256 * 1024 },
  passes: { least: 1, most: 10 },
  parallelism: { least: 1, most: 4 },
  salt: { least: 16, most: 64 },
  tag: { least: 16, most: 64 },
} as const

/** `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`, in base64 without padding. */
export const encodePhc = ({ memory, passes, parallelism, salt, tag }: Argon2Hash): string =>
  `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encoded(salt)}$${encoded(tag)}`

/** Undefined for what is not argon2id, is written in another way than `encodePhc` writes, or is out of bounds. */
export const parsePhc = (text: string): Argon2Hash | undefined => {
  const match =
    /^\$argon2id\$v=19\$m=([0-9]{1,6}),t=([0-9]{1,2}),p=([0-9])\$([A-Za-z0-9+/]{1,86})\$([A-Za-z0-9+/]{1,86})$/.exec(
      text,
    )
  if (match === null) return undefined
  const [, memory = '', passes = '', parallelism = '', salt = '', tag = ''] = match
  const hash: Argon2Hash = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
  const sane =
    within('memory', hash.memory) &&
    within('passes', hash.passes) &&
    within('parallelism', hash.parallelism) &&
    within('salt', hash.salt.length) &&
    within('tag', hash.tag.length)
  // One hash has one spelling: no leading zeros, no stray bits at the end of base64.
  return sane && encodePhc(hash) === text ? hash : undefined
}

const within = (name: keyof typeof phcBounds, value: number): boolean =>
  value >= phcBounds[name].least && value <= phcBounds[name].most

const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')
