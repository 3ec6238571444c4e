import { createHash } from 'node:crypto'
import { OptionsError } from '../../errors.ts'
import { type Logger, silentLogger } from '../../logger.ts'
import { createBcrypt } from './bcrypt.ts'
import { openHtpasswdFile } from './htpasswd-file.ts'

/** Users of an htpasswd file. Whoever is asked for, a password costs one comparison. */
export interface Htpasswd extends AsyncDisposable {
  has(name: string): boolean
  /** @throws RegistryError `overloaded` */
  verify(name: string, password: string): Promise<boolean>
  /** Changes with the file. */
  stamp(): string
  /** Changes with the line of that user; undefined when there is none. Says nothing of the hash. */
  stampOf(name: string): string | undefined
  /** Comparisons that were begun. */
  readonly work: number
}

export interface HtpasswdOptions {
  readonly path: string
  readonly logger?: Logger
  readonly now?: () => number
  /** Comparisons that may wait for their turn. Default 64. */
  readonly waiting?: number
}

/** bcrypt looks at no more. Bytes. */
const longestPassword = 72

/** @throws Error when the file cannot be read, or has lines that are not right: it names them, never what stands in them. */
export const createHtpasswd = async (options: HtpasswdOptions): Promise<Htpasswd> => {
  const { path, logger = silentLogger, now = Date.now, waiting = 64 } = options
  const file = opened({ path, logger, now })
  const bcrypt = createBcrypt({ waiting })

  return {
    get work() {
      return bcrypt.work
    },
    has: (name) => file.read().hashes.has(name),
    stamp: () => file.read().stamp,
    stampOf: (name) => {
      const hash = file.read().hashes.get(name)
      return hash === undefined ? undefined : createHash('sha256').update(`${name}:${hash}`).digest('base64url')
    },
    verify: async (name, password) => {
      const { hashes, cost } = file.read()
      const hash = hashes.get(name)
      // Cut to 72 bytes, a longer password would be right whatever its end is. A NUL ends one, or begins it anew.
      const usable = Buffer.byteLength(password) <= longestPassword && !password.includes('\0')
      const same = await bcrypt.compare(usable ? password : 'not usable', hash ?? hashOfNobody(cost))
      return same && usable && hash !== undefined
    },
    [Symbol.asyncDispose]: () => bcrypt[Symbol.asyncDispose](),
  }
}

const opened = (options: Parameters<typeof openHtpasswdFile>[0]): ReturnType<typeof openHtpasswdFile> => {
  try {
    return openHtpasswdFile(options)
  } catch (error) {
    throw new OptionsError(`The htpasswd file ${options.path} cannot be used: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

const hashOfNobody = (cost: number): string => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`
