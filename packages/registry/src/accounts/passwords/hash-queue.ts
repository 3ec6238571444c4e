import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { AccountError } from '../account-error.ts'
import { encodePhc, parsePhc } from './phc.ts'
import { createWorkQueue } from './work-queue.ts'

/** Hashes passwords, and compares them with hashes. Whatever is asked, it costs one derivation. */
export interface Passwords extends AsyncDisposable {
  /**
   * A PHC string.
   *
   * @throws AccountError for a password that is too long to be ever verified.
   * @throws RegistryError `overloaded`
   */
  hash(password: string): Promise<string>
  /**
   * @param phc Undefined where there is no user of that name: the same work is done for nothing.
   * @throws RegistryError `overloaded`
   */
  verify(phc: string | undefined, password: string): Promise<boolean>
  /** Derivations that were begun. */
  readonly work: number
}

export interface PasswordsOptions {
  /** Derivations at once. Default: half of the cores. */
  readonly concurrency?: number
  /** Derivations that may wait for their turn. Default 64. */
  readonly waiting?: number
  /** Default: argon2id of Node. */
  readonly derive?: (parameters: Derivation) => Promise<Uint8Array>
}

export interface Derivation {
  readonly message: Uint8Array
  readonly nonce: Uint8Array
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly tagLength: number
}

/** The first of the parameters that OWASP's cheat sheet on password storage recommends. KiB and bytes. */
const strength = { memory: 19_456, passes: 2, parallelism: 1 }
const saltBytes = 16
const tagBytes = 32

/** To read a longer one costs more than it can be worth. */
export const longestPassword = 1024

const argon2Promise = promisify(argon2)

const deriveWithNode: NonNullable<PasswordsOptions['derive']> = (parameters) => argon2Promise('argon2id', parameters)

export const createPasswords = (options: PasswordsOptions = {}): Passwords => {
  const { concurrency = defaultConcurrency(), waiting = 64, derive = deriveWithNode } = options
  const queue = createWorkQueue({ concurrency, waiting })
  /** What nobody's password has: derivations for nothing are compared with it. */
  const nobody = { ...strength, salt: randomBytes(saltBytes), tag: randomBytes(tagBytes) }
  let work = 0

  const derived = (parameters: Derivation): Promise<Uint8Array> =>
    queue.run(() => {
      work += 1
      return derive(parameters)
    })

  return {
    get work() {
      return work
    },
    hash: async (password) => {
      const message = Buffer.from(password)
      if (message.length > longestPassword) {
        throw new AccountError('invalid', `A password has at most ${longestPassword} bytes.`, 'password')
      }
      const salt = randomBytes(saltBytes)
      const tag = await derived({ message, nonce: salt, ...strength, tagLength: tagBytes })
      return encodePhc({ ...strength, salt, tag })
    },
    verify: async (phc, password) => {
      const tooLong = Buffer.byteLength(password) > longestPassword
      const known = phc === undefined ? undefined : parsePhc(phc)
      const { salt, tag, ...parameters } = known ?? nobody
      const message = Buffer.from(tooLong ? 'too long' : password)
      const found = await derived({ message, nonce: salt, ...parameters, tagLength: tag.length })
      const equal = timingSafeEqual(found, tag)
      return equal && known !== undefined && !tooLong
    },
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  }
}

/** Derivations run on the threads on which files are read and written (four, unless told otherwise): half are left to those. */
const defaultConcurrency = (): number => {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) || 4
  return Math.max(1, Math.floor(Math.min(availableParallelism(), threads) / 2))
}
