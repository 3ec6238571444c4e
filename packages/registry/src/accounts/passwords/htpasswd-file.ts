import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { Logger } from '../../logger.ts'
import { type HtpasswdLines, parseHtpasswd } from './htpasswd-lines.ts'

/** An htpasswd file as it is now. */
export interface HtpasswdFile {
  /** Looks whether the file has changed, at most once a second. */
  read(): HtpasswdContent
}

export interface HtpasswdContent extends HtpasswdLines {
  /** Changes with the file. */
  readonly stamp: string
}

export interface HtpasswdFileOptions {
  readonly path: string
  readonly logger: Logger
  readonly now: () => number
}

/** Milliseconds between two looks. */
const lookEvery = 1000
/** Bytes: some 15,000 users. To read more would hold up everybody else. */
const largest = 1024 * 1024
/** A file that changed so shortly before it was read may change again without a newer time, on some file systems. Milliseconds. */
const settlesAfter = 3000
/** Problems that are named; the rest is counted. */
const mostProblems = 10

/**
 * A file that can no longer be read, or is no longer right, changes nothing: who stood in it can still log in, and the log
 * says once what is wrong. Somebody saved half a sentence; a registry that nobody can log in to would be worse.
 *
 * @throws Error when the file cannot be used from the start; it names the lines and never what stands in them.
 */
export const openHtpasswdFile = ({ path, logger, now }: HtpasswdFileOptions): HtpasswdFile => {
  let lookedAt = now()
  /** Of the last look, whatever came of it; undefined when the next one shall read again. */
  let seen: string | undefined
  let complaint: string | undefined
  /** Of the content whose costs were complained of last. */
  let warnedOf: string | undefined
  let content = load()

  /** Not asynchronous: once a second a small local file, and nobody is let in by what was taken out of it a second ago. */
  function load(): HtpasswdContent {
    const { state, settled } = look(path, now)
    seen = settled ? state : undefined
    const text = readFileSync(path, 'utf8')
    const lines = parseHtpasswd(text)
    if (lines.problems.length > 0) throw new Error(described(lines.problems))
    const stamp = createHash('sha256').update(text).digest('base64url')
    if (lines.otherCosts.length > 0 && stamp !== warnedOf) {
      warnedOf = stamp
      logger.warn(
        {
          path,
          lines: lines.otherCosts.slice(0, mostProblems),
          more: Math.max(0, lines.otherCosts.length - mostProblems),
        },
        'lines of the htpasswd file have hashes of another cost than the rest: by the time of a login others can tell that their users are there; make them again with one `htpasswd -B -C`',
      )
    }
    return { ...lines, stamp }
  }

  const refresh = (): void => {
    try {
      if (look(path, now).state === seen) return
      const fresh = load()
      if (fresh.stamp !== content.stamp || complaint !== undefined) {
        logger.info({ path, users: fresh.hashes.size }, 'the htpasswd file was read again')
      }
      content = fresh
      complaint = undefined
    } catch (error) {
      const problem = (error as Error).message
      if (problem === complaint) return
      complaint = problem
      logger.error({ path, problem }, 'the htpasswd file cannot be used; what it said before holds on')
    }
  }

  return {
    read: () => {
      const at = now()
      // A clock that was set back is no reason not to look.
      if (at - lookedAt >= lookEvery || at < lookedAt) {
        lookedAt = at
        refresh()
      }
      return content
    },
  }
}

const look = (path: string, now: () => number): { readonly state: string; readonly settled: boolean } => {
  const stat = statSync(path, { bigint: true })
  if (!stat.isFile()) throw new Error('it is not a file')
  if (stat.size > largest) throw new Error(`it is larger than ${largest} bytes`)
  const changed = Number(stat.mtimeMs > stat.ctimeMs ? stat.mtimeMs : stat.ctimeMs)
  // The size of a file says little: every hash has the same length.
  return { state: [stat.mtimeNs, stat.ctimeNs, stat.size, stat.ino].join(':'), settled: now() - changed > settlesAfter }
}

/** What is wrong with the lines, in one sentence. */
export const described = (problems: readonly string[]): string => {
  const more = problems.length - mostProblems
  return [...problems.slice(0, mostProblems), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}
