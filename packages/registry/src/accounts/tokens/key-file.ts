import { open, stat } from 'node:fs/promises'
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Logger } from '../../logger.ts'
import { UnavailableError } from '../workloads/remote-document.ts'
import { checkedKeys } from '../workloads/remote-keys.ts'

const mostBytes = 256 * 1024

/** Milliseconds. */
const lookAgainAfter = 1000

/**
 * The public keys in a JWK Set file, read again within a second of a change. While it cannot be read no token is good: a key
 * that was taken out must not live on because of a slip of the pen.
 *
 * The function throws `UnavailableError` when the file cannot be read, and a JOSE error when the key is not in it.
 */
export const createKeyFile = (path: string, now: () => number, logger: Logger): JWTVerifyGetKey => {
  let lookedAt = -Infinity
  let seen: string | undefined
  let keys: JWTVerifyGetKey | undefined
  let broken = false
  let looking: Promise<void> | undefined

  const look = async (): Promise<void> => {
    const at = now()
    try {
      const { mtimeMs, size, ino } = await stat(path)
      const stamp = `${mtimeMs} ${size} ${ino}`
      if (stamp !== seen) {
        keys = createLocalJWKSet(await readKeys(path))
        seen = stamp
      }
      broken = false
    } catch (error) {
      // Told when it begins, not with every token.
      if (!broken) {
        const reason = reasonOf(error)
        logger.error(
          { path, reason },
          'The keys of the token server cannot be read: its tokens are refused until they can.',
        )
      }
      broken = true
      keys = undefined
      seen = undefined
    }
    lookedAt = at
  }

  return async (header, token) => {
    const age = now() - lookedAt
    if (age < 0 || age >= lookAgainAfter) {
      looking ??= look().finally(() => {
        looking = undefined
      })
      await looking
    }
    if (keys === undefined) throw new UnavailableError('The file cannot be read.')
    return keys(header, token)
  }
}

const readKeys = async (path: string): Promise<JSONWebKeySet> => {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes + 1), 0, mostBytes + 1, 0)
  if (bytesRead > mostBytes) throw new UnavailableError(`It is larger than ${mostBytes} bytes.`)
  return checkedKeys(JSON.parse(buffer.toString('utf8', 0, bytesRead)))
}

/** Without a piece of the file, which the parser's own words have: it may be another file than was meant. */
const reasonOf = (error: unknown): string => {
  if (error instanceof SyntaxError) return 'It is not JSON.'
  return error instanceof Error ? error.message : 'It cannot be read.'
}
