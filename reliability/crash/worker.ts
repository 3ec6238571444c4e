import { CutError, type HttpAnswer, type HttpClient } from '../http.ts'
import type { Content } from '../image.ts'
import type { Random } from '../random.ts'
import type { Abilities } from './abilities.ts'
import type { Layers } from './content.ts'
import type { Intent } from './events.ts'
import type { Findings } from './findings.ts'
import type { History } from './history.ts'
import type { Tally } from './tally.ts'

/** What workers share. It outlives the servers. */
export interface Workload {
  readonly history: History
  readonly findings: Findings
  readonly tally: Tally
  readonly layers: Layers
  readonly abilities: Abilities
  /** Images that were acknowledged and that nobody has begun to delete, by repository. */
  readonly images: Map<string, Map<string, StoredImage>>
  /** Blobs that were pushed without a manifest, and that no other worker pushes. */
  readonly loose: { readonly repository: string; readonly digest: string }[]
}

export interface StoredImage {
  readonly manifest: Content
  readonly needs: readonly string[]
  readonly subject?: string
}

/** One worker, with one server. */
export interface Worker extends Workload {
  readonly client: HttpClient
  readonly random: Random
}

export const repositories = ['app', 'web', 'team/api', 'team/worker', 'base', 'tools/ci', 'db', 'edge'] as const
export const tags = ['latest', 'v1', 'v2', 'v3', 'stable', 'edge', 'nightly', 'main'] as const
/** Sends what changes something, with its intent and its outcome taken down. Undefined: there was no answer. */
export const write = async (
  { history, tally }: Workload,
  intent: Intent,
  send: () => Promise<HttpAnswer>,
  done: number,
): Promise<HttpAnswer | undefined> => {
  const operation = history.begin(intent)
  let answer: HttpAnswer
  try {
    answer = await send()
  } catch (error) {
    history.end(operation, 'unknown')
    if (error instanceof CutError) return undefined
    throw error
  }
  const { status } = answer
  if (status >= 500) tally.serverErrors += 1
  // A mount that became an upload (202) changes nothing that can be seen.
  history.end(operation, status === done ? 'acknowledged' : status < 500 ? 'refused' : 'unknown')
  if (status >= 400 && status < 500) tally.refused += 1
  return answer
}
