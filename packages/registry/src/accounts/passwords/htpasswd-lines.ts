import { isUserName } from '../names.ts'

/** What an htpasswd file says: who there is, with which bcrypt hash. */
export interface HtpasswdLines {
  readonly hashes: ReadonlyMap<string, string>
  /** The cost most of them have, the higher of two. */
  readonly cost: number
  /** Numbers of the lines that have another one. */
  readonly otherCosts: readonly number[]
  /** In words, with line numbers. Never what stands in a line: half of it may be a hash or a password. */
  readonly problems: readonly string[]
}

const bcryptHash = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/

/** Below, a hash protects nobody; above, a single login takes a core for seconds. */
const costs = { least: 4, most: 14 }
/** Of a file without users. */
const usualCost = 10

export const parseHtpasswd = (text: string): HtpasswdLines => {
  const hashes = new Map<string, string>()
  const counts = new Map<number, number>()
  const lines: { readonly number: number; readonly cost: number }[] = []
  const problems: string[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon))
    const hash = line.slice(colon + 1)
    const cost = Number(bcryptHash.exec(hash)?.[1] ?? Number.NaN)
    const problem =
      colon === -1
        ? 'is not `name:hash`'
        : !isUserName(name)
          ? 'has a name that no user may have: letters, digits and ._@+-, at most 128, and not "anonymous"'
          : hashes.has(name)
            ? 'names a user of an earlier line'
            : Number.isNaN(cost)
              ? 'has no bcrypt hash; make it with `htpasswd -B`'
              : cost < costs.least || cost > costs.most
                ? `has a bcrypt hash whose cost is not ${costs.least} to ${costs.most}`
                : undefined
    if (problem !== undefined) {
      problems.push(`line ${index + 1} ${problem}`)
      continue
    }
    hashes.set(name, hash)
    lines.push({ number: index + 1, cost })
    counts.set(cost, (counts.get(cost) ?? 0) + 1)
  }
  const [most = [usualCost]] = [...counts].toSorted(([a, n], [b, m]) => m - n || b - a)
  const [usual] = most
  const otherCosts = lines.filter((line) => line.cost !== usual).map(({ number }) => number)
  return { hashes, cost: usual, otherCosts, problems }
}
