import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createHttpClient, CutError } from '../http.ts'
import { createRandom, type Random } from '../random.ts'
import type { RowContext } from '../row.ts'
import { type ServedRegistry, StartError, startRegistry } from '../servers.ts'
import { type Abilities, probeAbilities } from './abilities.ts'
import { createLayers } from './content.ts'
import { examine, hasDoctor, hasGarbageSettings } from './doctor.ts'
import { createFindings, type Findings } from './findings.ts'
import { createHistory } from './history.ts'
import { readJournal, startJournal } from './journal.ts'
import { createModel } from './model.ts'
import { partsOf } from './objects.ts'
import { sample } from './sample.ts'
import { createTally, type Tally } from './tally.ts'
import { verify, type Verification } from './verify.ts'
import type { Workload } from './worker.ts'
import { work } from './workload.ts'

/** Where the registry keeps its data, and how its end comes. */
export interface Place {
  readonly directory: string
  /** Ends the server, and whatever else is to end, in the midst of its work. `stop`: nothing new is asked of it from now on. */
  cut(server: ServedRegistry, random: Random, stop: () => void): Promise<void>
  /** Whether so much is stored that an empty directory must take its place: some registries keep everything. */
  full(): boolean
  renew(): Promise<void>
}

export interface CrashPlan {
  readonly cuts: number
  /** It goes on until there are as many, with twice the cuts at the most. */
  readonly acknowledged?: number
  /** No cycle begins after so many seconds. */
  readonly seconds: number
  /** Milliseconds of load before the cut: the least and the most. */
  readonly load: readonly [number, number]
  readonly wholeEvery: number
  readonly doctorEvery: number
  /** Share of the starts that are themselves killed before they are done. */
  readonly doubleCrash: number
  readonly under?: readonly string[]
  /** For a control: it has shown what it is there for. */
  readonly stopWhen?: (findings: Findings) => boolean
}

export interface CrashReport {
  /** Ends of the server in the midst of its work. */
  readonly cuts: number
  readonly acknowledged: number
  readonly tally: Tally
  readonly findings: Findings
  /** Milliseconds of each start after a cut. */
  readonly readyAfter: readonly number[]
  readonly renewals: number
  readonly examined: number
}

const workers = 16
/** Garbage collection of stowage: all the time, and with little grace, so that it meets pushes that count on what it takes. */
const collection = { STOWAGE_GARBAGE_EVERY: '100ms', STOWAGE_GARBAGE_GRACE: '1s' }
const noCollection = { STOWAGE_GARBAGE_EVERY: '0s', STOWAGE_GARBAGE_GRACE: '1s' }
/** What `STOWAGE_GARBAGE_GRACE` says, less what clocks and timers may differ. Milliseconds. */
const grace = 950
const startsInVain = 3

export const runCrashes = async (context: RowContext, plan: CrashPlan, place: Place): Promise<CrashReport> => {
  const { registry, directory, seed, say, signal } = context
  const journalPath = join(directory, 'journal.jsonl')
  await using journal = startJournal(journalPath)
  const history = createHistory(journal, grace)
  const { model, record } = history
  const random = createRandom(seed)
  let cycle = 0
  let cuts = 0
  const findings = createFindings(() => `cycle ${cycle}`)
  const tally = createTally()
  const layers = createLayers(random.fork('layers'))
  const images: Workload['images'] = new Map()
  const loose: { repository: string; digest: string }[] = []
  const readyAfter: number[] = []
  const collects = registry === 'stowage' && hasGarbageSettings()
  const doctor = registry === 'stowage' && hasDoctor()
  if (registry === 'stowage' && !collects) say('this build has no settings for garbage collection: it does not run')
  if (registry === 'stowage' && !doctor) say('this build has no doctor: the store is not examined')
  let renewals = 0
  let examined = 0
  let failedStarts = 0
  let abilities: Abilities | undefined

  const start = async (collecting: boolean): Promise<ServedRegistry | undefined> => {
    const environment = collects ? (collecting ? collection : noCollection) : {}
    const options = { directory: place.directory, environment, ...(plan.under && { under: plan.under }) }
    try {
      record({ type: 'started', collecting: collects && collecting })
      if (cycle > 1 && random.next() < plan.doubleCrash)
        await startRegistry(registry, { ...options, killAfter: random.between(0, 250) })
      return await startRegistry(registry, options)
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      failedStarts += 1
      findings.add('start', 'start', error.message)
      return undefined
    }
  }
  const renew = async (): Promise<void> => {
    await place.renew()
    record({ type: 'renewed' })
    findings.renew()
    images.clear()
    loose.length = 0
    renewals += 1
  }
  const found: Verification['found'] = (key, bytes) => {
    const { repository, name } = partsOf(key)
    const known = images.get(repository) ?? new Map<string, never>()
    const facts = model.facts.get(key)
    if (bytes === undefined || facts === undefined) known.delete(name)
    else if (!known.has(name)) images.set(repository, known.set(name, { manifest: { digest: name, bytes }, ...facts }))
  }
  const parts = { signal, findings, tally, found }

  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1000
  const more = (): boolean =>
    seconds() < plan.seconds &&
    failedStarts < startsInVain &&
    (cuts < plan.cuts || (cuts < 2 * plan.cuts && journal.acknowledged() < (plan.acknowledged ?? 0))) &&
    plan.stopWhen?.(findings) !== true
  while (more()) {
    signal.throwIfAborted()
    cycle += 1
    const server = await start(random.next() < 0.75)
    if (server === undefined) {
      await renew()
      continue
    }
    await using _ = server
    using client = createHttpClient(server.url)
    if (cycle > 1) readyAfter.push(server.readyAfter)
    abilities ??= await probeAbilities(client)
    const isFull = place.full()
    const whole = cycle % plan.wholeEvery === 0 || isFull
    const scope = whole ? model.registers.keys() : [...model.touched, ...sample(model.registers, random)]
    const alive = await orEnded(server, findings, async () =>
      verify({ model, record, client, abilities: abilities as Abilities, ...parts, scope, whole }),
    )
    if (!alive) {
      await server.kill()
      record({ type: 'cut', at: Date.now() })
      continue
    }
    if (plan.stopWhen?.(findings) === true) break
    if (isFull) {
      await server.kill()
      await renew()
      continue
    }
    const shared: Workload = { history, layers, images, loose, abilities, findings, tally }
    let stopped = false
    const all = Promise.all(
      Array.from({ length: workers }, async (_one, index) =>
        work({ ...shared, client, random: random.fork(`worker ${index} ${cycle}`) }, () => stopped),
      ),
    )
    all.catch(() => {})
    try {
      await pause(random.between(...plan.load), undefined, { signal })
      if (server.ended()) findings.add('end', 'end', `the server ended by itself: ${server.complaint().trim()}`)
      await place.cut(server, random, () => {
        stopped = true
      })
    } finally {
      stopped = true
    }
    await all
    cuts += 1
    record({ type: 'cut', at: Date.now() })
    await journal.flushed()
    if (doctor && cycle % plan.doctorEvery === 0) {
      examine(place.directory, findings)
      examined += 1
    }
    if (cycle % 25 === 0)
      say(
        `cycle ${cycle}, ${seconds().toFixed(0)} s: ${journal.acknowledged()} acknowledged, ${findings.total()} failures`,
      )
  }

  if (plan.stopWhen?.(findings) !== true && failedStarts < startsInVain) {
    if (doctor) {
      examine(place.directory, findings)
      examined += 1
    }
    // Everything, and from what the other process has kept: not what this one remembers.
    await journal.flushed()
    const kept = createModel({ grace })
    for await (const event of readJournal(journalPath)) kept.apply(event)
    const server = await start(false)
    if (server !== undefined) {
      await using _ = server
      using client = createHttpClient(server.url)
      kept.apply({ type: 'started', collecting: false })
      const scope = [...kept.registers.keys()]
      say(`at the end ${scope.length} objects are compared with the journal`)
      if (abilities !== undefined) {
        const last = { model: kept, record: kept.apply, client, abilities, ...parts, scope, whole: true }
        await orEnded(server, findings, async () => verify(last))
      }
    }
  }
  const acknowledged = journal.acknowledged()
  return { cuts, acknowledged, tally, findings, readyAfter, renewals, examined }
}

/** @returns whether the server was there to the end. */
const orEnded = async (server: ServedRegistry, findings: Findings, look: () => Promise<void>): Promise<boolean> => {
  try {
    await look()
    return true
  } catch (error) {
    if (!(error instanceof CutError)) throw error
    const how = server.ended()
      ? `the server ended: ${server.complaint().trim()}`
      : `the server cut off ${error.message}`
    findings.add('end', 'end', `while it was looked at, ${how}`)
    return false
  }
}
