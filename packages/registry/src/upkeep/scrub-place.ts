import { type Digest, isDigest } from '@stowage/oci'
import type { UpkeepStore } from '../metadata/upkeep-store.ts'

/** How far a pass has come: everything up to and with `last` was looked at. First the blobs, then the manifests. */
export interface ScrubPlace {
  readonly phase: 'blobs' | 'manifests'
  readonly last?: Digest
}

export const beginning: ScrubPlace = { phase: 'blobs' }

/** The beginning, unless a pass was cut off. */
export const readPlace = async (upkeep: UpkeepStore): Promise<ScrubPlace> => {
  const state = await upkeep.readState('scrub')
  try {
    const value: unknown = JSON.parse(state ?? '{}')
    if (typeof value !== 'object' || value === null) return beginning
    const { phase, last } = value as Record<string, unknown>
    if (phase !== 'blobs' && phase !== 'manifests') return beginning
    return typeof last === 'string' && isDigest(last) ? { phase, last } : { phase }
  } catch {
    // Not what we wrote: looking again at what was looked at harms nobody.
    return beginning
  }
}

export const writePlace = async (upkeep: UpkeepStore, place: ScrubPlace): Promise<void> =>
  upkeep.writeState('scrub', JSON.stringify(place))
