import type { Intent, JournalEvent, Outcome } from './events.ts'
import { absent, blobKey, manifestKey, type ObjectKey, partsOf, present, tagKey } from './objects.ts'
import { createRegister, possibleValues, type Register, settle, type Write } from './register.ts'

/**
 * What a server may show, from what was asked of it and what it answered. Made of journal events and nothing else, so that it can be
 * made again from the journal.
 */
export interface Model {
  apply(event: JournalEvent): void
  /** The tick of the last event. */
  now(): number
  /** What may be seen of the object between two ticks. */
  possible(key: ObjectKey, from: number, to: number): Set<string>
  /** Whether garbage collection may have taken the blob, if somebody looks between two ticks, and at this time of day at the latest. */
  mayBeCollected(repository: string, digest: string, interval: Interval): boolean
  /** Every object that was ever written. */
  readonly registers: ReadonlyMap<ObjectKey, Register>
  /** Objects with writes since they were last seen. */
  readonly touched: ReadonlySet<ObjectKey>
  /** Known of every manifest that may be there. */
  readonly facts: ReadonlyMap<ObjectKey, ManifestFacts>
  /** Manifests that may be there and have this one for a subject. */
  referrersOf(subject: ObjectKey): ReadonlySet<ObjectKey>
  tagsOf(repository: string): ReadonlySet<ObjectKey>
  /**
   * Makes up its mind on the manifest's writes: what was seen says whether an operation of unknown outcome took place, and then
   * all of it has to be so (or none).
   */
  decide(manifest: ObjectKey, seen: string): void
  /** The intent of an operation that is in some register; for messages. */
  describe(operation: number): string
}

export interface Interval {
  readonly from: number
  readonly to: number
  readonly at: number
}

export interface ManifestFacts {
  readonly needs: readonly string[]
  readonly subject?: string
}

interface Operation {
  readonly intent: Intent
  readonly at: number
  readonly writes: { readonly register: Register; readonly write: Write }[]
  outcome: Outcome | 'open'
}

/** @param grace Milliseconds for which garbage collection lets an unused blob be; clocks may differ by a little. */
export const createModel = ({ grace }: { readonly grace: number }): Model => {
  let tick = 0
  const registers = new Map<ObjectKey, Register>()
  const touched = new Set<ObjectKey>()
  const facts = new Map<ObjectKey, ManifestFacts>()
  const operations = new Map<number, Operation>()
  const undecided = new Set<number>()
  const users = createGroups()
  const referrers = createGroups()
  const tags = createGroups()
  /** When somebody last put the blob and was told that it is there. */
  const blobPut = new Map<ObjectKey, number>()
  let collecting = false
  let collectedUntil = -Infinity

  const registerOf = (key: ObjectKey): Register => {
    const found = registers.get(key)
    if (found !== undefined) return found
    const made = createRegister(absent)
    registers.set(key, made)
    return made
  }

  const remember = (manifest: ObjectKey, repository: string, known: ManifestFacts): void => {
    facts.set(manifest, known)
    for (const digest of known.needs) users.add(blobKey(repository, digest), manifest)
    if (known.subject !== undefined) referrers.add(manifestKey(repository, known.subject), manifest)
  }
  const forget = (manifest: ObjectKey): void => {
    const { repository } = partsOf(manifest)
    const known = facts.get(manifest)
    for (const digest of known?.needs ?? []) users.remove(blobKey(repository, digest), manifest)
    if (known?.subject !== undefined) referrers.remove(manifestKey(repository, known.subject), manifest)
    facts.delete(manifest)
  }

  const begin = (number: number, intent: Intent, at: number): void => {
    const operation: Operation = { intent, at, writes: [], outcome: 'open' }
    const writes = (key: ObjectKey, value: string, onlyIf?: string): void => {
      const write: Write = {
        operation: number,
        value,
        start: tick,
        end: Infinity,
        outcome: 'open',
        ...(onlyIf !== undefined && { onlyIf }),
      }
      const register = registerOf(key)
      register.writes.push(write)
      operation.writes.push({ register, write })
      touched.add(key)
    }
    operations.set(number, operation)
    undecided.add(number)
    const { kind, repository } = intent
    if (kind === 'put-blob') writes(blobKey(repository, intent.digest), present)
    else if (kind === 'delete-blob') writes(blobKey(repository, intent.digest), absent)
    else if (kind === 'put-manifest') {
      const manifest = manifestKey(repository, intent.digest)
      const { needs, subject } = intent
      remember(manifest, repository, { needs, ...(subject !== undefined && { subject }) })
      writes(manifest, present)
      if (intent.tag === undefined) return
      tags.add(repository, tagKey(repository, intent.tag))
      writes(tagKey(repository, intent.tag), intent.digest)
    } else if (kind === 'delete-manifest') {
      writes(manifestKey(repository, intent.digest), absent)
      for (const tag of tags.of(repository)) writes(tag, absent, intent.digest)
    } else writes(tagKey(repository, intent.tag), absent)
  }

  const end = (number: number, outcome: Outcome): void => {
    const operation = operations.get(number)
    if (operation === undefined) throw new Error(`The journal has an outcome of operation ${number}, and no intent.`)
    operation.outcome = outcome
    for (const { register, write } of operation.writes) {
      if (outcome === 'refused') register.writes = register.writes.filter((other) => other !== write)
      else write.outcome = outcome
      // Without an answer the server may still be at it.
      if (outcome !== 'unknown') write.end = tick
    }
    const { intent, at } = operation
    if (outcome === 'acknowledged' && intent.kind === 'put-blob') {
      const key = blobKey(intent.repository, intent.digest)
      blobPut.set(key, Math.max(at, blobPut.get(key) ?? -Infinity))
    }
    if (outcome !== 'unknown') undecided.delete(number)
    if (outcome === 'refused') operations.delete(number)
  }

  const see = (key: ObjectKey, value: string): void => {
    const register = registerOf(key)
    for (const { operation } of register.writes) release(operation, register)
    settle(register, value, tick)
    touched.delete(key)
    if (value === absent && partsOf(key).kind === 'manifest') forget(key)
  }
  /** Operations are kept as long as a register has writes of them. */
  const release = (number: number, seen: Register): void => {
    const operation = operations.get(number)
    if (
      operation?.writes.every(({ register, write }) => register === seen || !register.writes.includes(write)) === true
    )
      operations.delete(number)
  }

  const possible: Model['possible'] = (key, from, to) => {
    const register = registers.get(key)
    return register === undefined ? new Set([absent]) : possibleValues(register, from, to)
  }

  const applyKind = (event: JournalEvent): void => {
    if (event.type === 'intent') begin(event.operation, event.intent, event.at)
    else if (event.type === 'outcome') end(event.operation, event.outcome)
    else if (event.type === 'seen') see(event.key, event.value)
    else if (event.type === 'started') ({ collecting } = event)
    else if (event.type === 'cut') {
      for (const number of undecided) {
        const operation = operations.get(number)
        if (operation?.outcome === 'open') operation.outcome = 'unknown'
        for (const { write } of operation?.writes ?? []) Object.assign(write, { outcome: 'unknown', end: tick })
      }
      undecided.clear()
      if (collecting) collectedUntil = event.at
      collecting = false
    } else {
      for (const all of [registers, touched, facts, operations, undecided, users, referrers, tags, blobPut]) all.clear()
    }
  }

  return {
    apply: (event) => {
      tick += 1
      applyKind(event)
    },
    now: () => tick,
    possible,
    mayBeCollected: (repository, digest, { from, to, at }) => {
      const key = blobKey(repository, digest)
      const surelyUsed = [...users.of(key)].some((manifest) => !possible(manifest, from, to).has(absent))
      if (surelyUsed) return false
      const unusedSince = blobPut.get(key) ?? -Infinity
      return (collecting ? at : collectedUntil) >= unusedSince + grace
    },
    registers,
    touched,
    facts,
    referrersOf: (subject) => referrers.of(subject),
    tagsOf: (repository) => tags.of(repository),
    decide: (manifest, seen) => {
      const register = registers.get(manifest)
      const [write, ...others] = register?.writes ?? []
      // Only where what is seen has one explanation.
      if (register === undefined || write === undefined || others.length > 0 || register.settled === write.value) return
      const operation = operations.get(write.operation)
      if (operation?.outcome !== 'unknown' || write.end === Infinity) return
      if (seen !== write.value && seen !== register.settled) return
      for (const part of operation.writes) {
        if (part.write === write) continue
        if (seen === write.value) part.write.outcome = 'acknowledged'
        else part.register.writes = part.register.writes.filter((other) => other !== part.write)
      }
    },
    describe: (number) => {
      const operation = operations.get(number)
      if (operation === undefined) return `#${number}`
      const { kind } = operation.intent
      return `#${number} ${kind} ${operation.outcome}`
    },
  }
}

interface Groups {
  add(group: string, key: ObjectKey): void
  remove(group: string, key: ObjectKey): void
  of(group: string): ReadonlySet<ObjectKey>
  clear(): void
}

const none: ReadonlySet<ObjectKey> = new Set()

const createGroups = (): Groups => {
  const groups = new Map<string, Set<ObjectKey>>()
  return {
    add: (group, key) => void groups.set(group, (groups.get(group) ?? new Set()).add(key)),
    remove: (group, key) => {
      const members = groups.get(group)
      members?.delete(key)
      if (members?.size === 0) groups.delete(group)
    },
    of: (group) => groups.get(group) ?? none,
    clear: () => groups.clear(),
  }
}
