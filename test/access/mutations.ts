import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { accessMutations } from './access-mutations.ts'
import { accountMutations } from './account-mutations.ts'
import { proveHost } from './host.ts'
import { type Outcome, runMatrix } from './matrix.ts'
import { applies, type Edit, mutantProduct } from './mutant.ts'
import type { Mutation } from './mutation.ts'
import { routeMutations } from './route-mutations.ts'

/**
 * The proof of the proof: each rule of the server is dropped once, and the matrix must say so. Then the same requests go to
 * copies that nothing was dropped from: what was found was found because of what was dropped.
 *
 *     node test/access/mutations.ts [part of a rule]
 */
const mutations: readonly Mutation[] = [...accessMutations, ...accountMutations, ...routeMutations]

interface Finding {
  readonly rule: string
  /** The first difference; undefined when there was none. */
  readonly found: string | undefined
  readonly cases: number
}

const prove = async ({ cast, policy, host }: Mutation, edits: readonly Edit[], most = Infinity): Promise<Outcome> => {
  const product = await mutantProduct(edits)
  if (host === true) return proveHost(product)
  return runMatrix(product, {
    ...(policy !== undefined && { policy }),
    hasty: true,
    most,
    file: cast.some((who) => /file|a user of the store/.test(who)),
    wants: (principal, label) =>
      cast.some((who) => (label === undefined ? who.startsWith(`${principal} (`) : who === `${principal} (${label})`)),
  })
}

const look = async (mutation: Mutation): Promise<Finding> => {
  const { rule } = mutation
  try {
    const { cases, differences } = await prove(mutation, mutation.edits)
    const [first] = differences
    return { rule, cases, found: first && `${first.what}: ${first.found.slice(0, 60)} instead of ${first.expected}` }
  } catch (error) {
    throw new Error(`Without the rule "${rule}" the proof cannot be done`, { cause: error })
  }
}

/** Whether nothing is found where nothing was dropped: for each cast once, as far as something was found. */
const control = async (findings: ReadonlyMap<Mutation, Finding>): Promise<void> => {
  const casts = new Map<string, { readonly mutation: Mutation; readonly most: number }>()
  for (const [mutation, { cases }] of findings) {
    const key = JSON.stringify([mutation.cast, mutation.policy, mutation.host])
    casts.set(key, { mutation, most: Math.max(cases, casts.get(key)?.most ?? 0) })
  }
  for (const { mutation, most } of casts.values()) {
    const { differences } = await prove(mutation, [], most)
    if (differences.length === 0) continue
    throw new Error(`${mutation.cast.join()} differ although nothing was dropped: ${JSON.stringify(differences)}`)
  }
}

const [, , wanted = ''] = process.argv
const chosen = mutations.filter(({ rule }) => rule.includes(wanted))

if (isMainThread) {
  // All at once: whoever changes a rule has its mutation to change too.
  const stale = chosen.flatMap(({ rule, edits }) =>
    edits.filter((edit) => !applies(edit)).map(({ file }) => `${rule} (${file})`),
  )
  if (stale.length > 0)
    throw new Error(`The source has not exactly once what is to be mutated for: ${stale.join('; ')}`)
  const began = performance.now()
  const parts = availableParallelism()
  const findings: Finding[] = []
  await Promise.all(
    Array.from({ length: parts }, async (_, part) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { part, parts }, argv: [wanted] })
      worker.on('message', (finding: Finding) => {
        findings.push(finding)
        const { rule, found, cases } = finding
        console.log(`${found === undefined ? 'MISSED' : 'found '} ${rule}: ${found ?? 'nothing'} (request ${cases})`)
      })
      await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject))
    }),
  )
  const found = findings.filter((finding) => finding.found !== undefined).length
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${found} of ${chosen.length} mutations found in ${seconds} s`)
  process.exitCode = found === chosen.length && found > 0 ? 0 : 1
} else {
  const { part, parts } = workerData as { part: number; parts: number }
  const mine = chosen.filter((_, at) => at % parts === part)
  const findings = new Map<Mutation, Finding>()
  for (const mutation of mine) {
    const finding = await look(mutation)
    findings.set(mutation, finding)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage(finding)
  }
  await control(findings)
}
