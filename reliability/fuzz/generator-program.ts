import { once } from 'node:events'
import { createRandom } from '../random.ts'
import { bytesOf } from './draft.ts'
import { missingAnswer, type Outcome, type Plan, planExchange, runExchange } from './exchange.ts'
import type { GeneratorCounts, GeneratorMessage, GeneratorTask } from './generator.ts'
import { escaped, minimise, outcomeProblem } from './minimise.ts'
import { stall } from './stall.ts'
import { createTended } from './tend.ts'

/** Sends what it is told over many connections at once, and says what was wrong with the answers. Ends when its parent does. */
process.on('disconnect', () => process.exit(1))
const [task] = (await once(process, 'message')) as [GeneratorTask]

const fastLanes = 64
const slowLanes = 40
/** Between two times at which what was removed is pushed again: requests. */
const tendEvery = 3000
const mostFailures = 20

const port = Number(new URL(task.url).port)
const random = createRandom(task.seed)
const { world, tend } = await createTended(task.url, task.account)
const statuses: Record<string, number> = {}
const counts = { requests: 0, connections: 0, answers: 0, resets: 0, statuses } satisfies GeneratorCounts
let failures = 0
let tended = 0
let tending: Promise<void> = tend()
await tending

const say = (message: GeneratorMessage): void => void process.send?.(message)
const progress = setInterval(() => say({ kind: 'progress', counts }), 250)

const fail = async (what: string, plan: Plan, outcome: Outcome, exchange: string): Promise<void> => {
  failures += 1
  const bytes = failures <= 5 && what.startsWith('an answer') ? await minimise(port, plan, outcome) : plan.bytes
  const { answers } = outcome
  const next = plan.requests[answers.length]
  const rest = next === undefined ? '' : `, the first without one: ${escaped(bytesOf(next, false), 1000)}`
  const after = `${answers.length} answers (${answers.map(({ status }) => status).join(' ')}) to ${plan.requests.length} requests${rest}`
  say({
    kind: 'failure',
    text: `${what}; exchange ${exchange} of seed ${task.seed}, ended by ${plan.ending}; ${after}; all that was sent: ${escaped(bytes)}`,
  })
}

const exchangeOnce = async (name: string, slow: boolean, plan: Plan): Promise<void> => {
  counts.requests += plan.requests.length
  counts.connections += 1
  const outcome = await runExchange(port, plan, task.bound)
  counts.answers += outcome.answers.length
  if (outcome.reset && plan.ending !== 'cut') counts.resets += 1
  for (const { status } of outcome.answers) statuses[status] = (statuses[status] ?? 0) + 1
  const what = outcomeProblem(plan, outcome) ?? missingAnswer(plan, outcome)
  if (what !== undefined) await fail(what, plan, outcome, `${name}${slow ? ' (slow)' : ''}`)
}

const more = (): boolean => counts.requests < task.requests && failures < mostFailures

const fastLane = async (lane: number): Promise<void> => {
  for (let at = 0; more(); at += 1) {
    const name = `${lane}.${at}`
    await exchangeOnce(name, false, planExchange(random.fork(name), world, false))
    if (counts.requests - tended < tendEvery) continue
    tended = counts.requests
    await tending
    tending = tend().catch((error: unknown) =>
      say({ kind: 'failure', text: `a well-formed push failed: ${String(error)}` }),
    )
  }
}

const slowLane = async (lane: number): Promise<void> => {
  for (let at = 0; more(); at += 1) {
    const name = `slow ${lane}.${at}`
    let plan = planExchange(random.fork(name), world, true)
    // Those take as long as the server's patience: begun at the end they would be what the whole waits for.
    if (plan.ending === 'wait' && at > 0 && !task.waiting) plan = { ...plan, ending: 'end' }
    await exchangeOnce(name, true, plan)
  }
}

const stallingLane = async (): Promise<void> => {
  while (more()) {
    const hangs = await stall(port, world, task.bound)
    if (hangs) say({ kind: 'failure', text: 'a reader that stalled, and then read on, saw no end of its connection' })
    if (!task.waiting) return
  }
}

await Promise.all([
  ...Array.from({ length: fastLanes }, async (_, lane) => fastLane(lane)),
  ...Array.from({ length: slowLanes }, async (_, lane) => slowLane(lane)),
  stallingLane(),
])
await tending
clearInterval(progress)
process.send?.({ kind: 'done', counts } satisfies GeneratorMessage, () => process.exit(0))
