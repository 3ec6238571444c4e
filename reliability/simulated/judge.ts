import { createHash } from 'node:crypto'
import { createRegistry, fileSystemBlobs, type MetadataStore, type Registry } from '@stowage/registry'
import { imageType } from '../image.ts'
import { type Answer, ask } from './ask.ts'
import { createSimulatedFiles } from './files.ts'
import type { Expectation, Expectations } from './history.ts'
import { filesBelow, type Image } from './image.ts'
import { root } from './prepared-image.ts'
import { kept, replay, type Write } from './recorded-metadata.ts'

/** What a power cut left, and what may be asked of it. */
export interface State {
  readonly image: Image
  readonly expectations: Expectations
  /** Milliseconds since the epoch. */
  readonly at: number
}

const isRight = ({ status, bytes }: Answer, content: { readonly bytes: Buffer }): boolean =>
  status === 200 && bytes.equals(content.bytes)

const describe = ({ status, bytes }: Answer): string => `${status} with ${bytes.byteLength} bytes`

const open = async (
  image: Image,
  metadata: MetadataStore,
  now: () => number,
): Promise<{ registry: Registry; snapshot: () => Image } & AsyncDisposable> => {
  const files = createSimulatedFiles({ image, clock: now, log: () => {} })
  const registry = await createRegistry({
    storage: { metadata, blobs: await fileSystemBlobs({ root }, files) },
    now,
  })
  return { registry, snapshot: files.snapshot, [Symbol.asyncDispose]: async () => registry[Symbol.asyncDispose]() }
}

/** Starts the registry on the state and asks for everything that anybody may count on. Changes nothing. */
export const look = async (state: State, metadata: MetadataStore): Promise<string[]> => {
  const problems: string[] = []
  await using opened = await open(state.image, kept(metadata), () => state.at)
  for (const expectation of state.expectations.values()) {
    const problem = await lookAt(opened.registry, expectation)
    if (problem !== undefined) problems.push(problem)
  }
  const damaged = new Set(
    [...state.expectations.values()].map((each) =>
      each.kind === 'blob' && each.state === 'damaged' ? each.content.digest : '',
    ),
  )
  const stored = filesBelow(state.image, root.slice(1), 'blobs')
  for (const { digest, key, size } of await metadata.upkeep.listBlobs({ limit: 1000 })) {
    if (damaged.has(digest)) continue
    const bytes = stored.get(key)
    if (bytes === undefined) problems.push(`the row of ${digest} has no bytes`)
    else if (bytes.byteLength !== size || digestOf(digest, bytes) !== digest)
      problems.push(`the row of ${digest} has bytes that are not its own`)
  }
  return problems
}

const lookAt = async (registry: Registry, expectation: Expectation): Promise<string | undefined> => {
  const { kind, repository } = expectation
  if (kind === 'blob') {
    const { content, state } = expectation
    if (state === 'damaged') return undefined
    const answer = await ask(registry, 'GET', `/v2/${repository}/blobs/${content.digest}`)
    if (state !== 'absent' && isRight(answer, content)) return undefined
    if (state !== 'present' && answer.status === 404) return undefined
    return `the blob ${content.digest} of ${repository}, which is ${state}, gave ${describe(answer)}`
  }
  if (kind === 'tag') {
    const answer = await ask(registry, 'GET', `/v2/${repository}/manifests/${expectation.tag}`, {
      headers: { accept: imageType },
    })
    const right = expectation.manifests.some((each) =>
      each === undefined ? answer.status === 404 : isRight(answer, each),
    )
    return right ? undefined : `the tag ${expectation.tag} of ${repository} gave ${describe(answer)}`
  }
  const answer = await ask(registry, 'GET', expectation.location)
  if (answer.status === 404) return undefined
  // The transaction of the last request may be there although its client was not told.
  return answer.status === 204 ? undefined : `an upload of ${repository} gave ${describe(answer)}`
}

const digestOf = (like: string, bytes: Uint8Array): string => {
  const algorithm = like.slice(0, like.indexOf(':'))
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

const twoDays = 48 * 3_600_000

/**
 * What a client and an administrator do after a power cut: uploads go on where they are said to be, what was not acknowledged
 * is pushed again, and what the cut left lying around is collected.
 */
export const recover = async (state: State, writes: readonly Write[]): Promise<string[]> => {
  const problems: string[] = []
  let now = state.at
  const metadata = await replay(writes)
  await using opened = await open(state.image, metadata, () => now)
  const { registry } = opened
  const present: Extract<Expectation, { kind: 'blob' }>[] = []
  for (const expectation of state.expectations.values()) {
    if (expectation.kind === 'upload' && expectation.state === 'open') {
      const problem = await resume(registry, expectation)
      if (problem !== undefined) problems.push(problem)
      present.push({ ...expectation, kind: 'blob', state: 'present' })
    }
  }
  for (const expectation of state.expectations.values()) {
    if (expectation.kind !== 'blob') continue
    const { repository, content, state: was } = expectation
    if (was !== 'present') {
      const target = `/v2/${repository}/blobs/uploads/?digest=${content.digest}`
      const answer = await ask(registry, 'POST', target, { body: content.bytes })
      if (answer.status !== 201) problems.push(`pushing ${content.digest} again gave ${describe(answer)}`)
    }
    present.push({ ...expectation, state: 'present' })
  }
  const again = async (): Promise<void> => {
    for (const expectation of present) {
      const problem = await lookAt(registry, expectation)
      if (problem !== undefined) problems.push(`after recovery ${problem}`)
    }
  }
  await again()
  now += twoDays
  await registry.sweep()
  await registry.sweep()
  await again()
  const leftovers = filesBelow(opened.snapshot(), root.slice(1), 'uploads').size
  if (leftovers > 0) problems.push(`${leftovers} files of uploads are left over`)
  await registry.upkeep.collectGarbage({ trustClock: true })
  now += twoDays
  await registry.upkeep.collectGarbage({ trustClock: true })
  const keys = new Set((await metadata.upkeep.listBlobs({ limit: 1000 })).map(({ key }) => key))
  for (const name of filesBelow(opened.snapshot(), root.slice(1), 'blobs').keys()) {
    if (!keys.has(name)) problems.push(`the file ${name} has no row and was not collected`)
  }
  return problems
}

const resume = async (
  registry: Registry,
  { repository, location, content }: Extract<Expectation, { kind: 'upload' }>,
): Promise<string | undefined> => {
  const status = await ask(registry, 'GET', location)
  if (status.status === 204) {
    const last = Number(status.headers.get('range')?.split('-')[1])
    // "0-0" is said of one byte and of none.
    const from = last === 0 ? 0 : last + 1
    if (from > content.bytes.byteLength) return `an upload stands at ${from}, beyond what was ever sent`
    const headers = { 'content-range': `${from}-${content.bytes.byteLength - 1}` }
    const rest = content.bytes.subarray(from)
    const target = `${location}?digest=${content.digest}`
    const answer = await ask(registry, 'PUT', target, { body: rest, ...(rest.byteLength > 0 && { headers }) })
    // Bytes that the cut tore are found by their digest. An upload of one byte says what one of none says.
    if (![201, 400, 416].includes(answer.status)) return `going on with an upload gave ${describe(answer)}`
    if (answer.status === 201) return undefined
    const cancelled = await ask(registry, 'DELETE', location)
    if (cancelled.status !== 204) return `cancelling an upload gave ${describe(cancelled)}`
  } else if (status.status !== 404) {
    return `the status of an upload was ${describe(status)}`
  }
  const anew = `/v2/${repository}/blobs/uploads/?digest=${content.digest}`
  const answer = await ask(registry, 'POST', anew, { body: content.bytes })
  return answer.status === 201 ? undefined : `pushing an upload anew gave ${describe(answer)}`
}
