import type { Client } from '../client.ts'
import type { CallOptions, Source, Target } from '../content/ports.ts'
import { parseLocation } from '../location.ts'
import { dryTarget } from './dry-target.ts'

/** The places that a sync has opened, each once. */
export interface Places extends AsyncDisposable {
  source(location: string): Promise<Source>
  target(location: string): Promise<Target>
  /** Makes what was written visible. */
  finish(options: CallOptions): Promise<void>
}

/** @param dry Whether nothing may be written. */
export const createPlaces = ({ from, to }: { readonly from: Client; readonly to: Client }, dry: boolean): Places => {
  const sources = new Map<string, Source>()
  const targets = new Map<string, Target>()
  return {
    async source(location) {
      const known = sources.get(location) ?? (await from.source(location)).source
      sources.set(location, known)
      return known
    },
    async target(location) {
      const known = targets.get(location) ?? (await to.target(location)).target
      targets.set(location, known)
      return dry ? dryTarget(known) : known
    },
    async finish(options) {
      if (!dry) for (const target of targets.values()) await target.finish(options)
    },
    async [Symbol.asyncDispose]() {
      // What is in memory belongs to the client.
      const all = [...sources, ...targets].filter(([location]) => parseLocation(location).scheme !== 'memory')
      for (const [, place] of all) await place[Symbol.asyncDispose]()
    },
  }
}
