/**
 * What a run of the client is made of, wherever it runs. These files import nothing of Node: the same list of checks is loaded by
 * a browser's page, by Bun and by Node.
 */
import type { ClientOptions, createClient } from '@stowage/client'

/** Where the servers are, as clients write them in references (`127.0.0.1:5000`). */
export interface ServerAddresses {
  /** Open to everyone, and to the page. */
  readonly open: string
  readonly other: string
  /** Open to everyone, but to no page of another origin. */
  readonly closed: string
  /** Wants a token, from `tokenServer`. */
  readonly guarded: string
  readonly tokenServer: string
  /** Wants a name and a password, and misbehaves; see `servers.ts`. */
  readonly faulty: string
}

export interface ClientRun {
  readonly createClient: typeof createClient
  readonly servers: ServerAddresses
  /** Reports a check, and goes on whatever its outcome. */
  readonly check: (name: string, body: () => Promise<void>) => Promise<void>
}

/** Not of ASCII: it must arrive as UTF-8. */
export const account = { username: 'åsa', password: 'smörgås ✓' } as const

export const plainHttp = {
  '*': { plainHttp: true, retry: { attempts: 3, maxDelay: 1000 } },
} as const satisfies NonNullable<ClientOptions['hosts']>

export const equal = (actual: unknown, expected: unknown, what: string): void => {
  const [is, wanted] = [actual, expected].map((value) => JSON.stringify(value))
  if (is !== wanted) throw new Error(`${what} is ${is}, not ${wanted}`)
}

export const ok = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what)
}

/** What a promise rejects with. */
export const failureOf = async (work: Promise<unknown>): Promise<Error> => {
  try {
    await work
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`It failed with ${String(error)}, which is no Error.`, { cause: error })
  }
  throw new Error('It did not fail.')
}
