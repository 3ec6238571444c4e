import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** The parts of a `.cpuprofile` that are read here (the Profile type of the Chrome DevTools protocol). */
interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  /** Microseconds. */
  readonly timeDeltas: readonly number[]
}

export interface HotSpot {
  readonly place: string
  /** Of the time in which the thread was not idle, 0 to 1; without what the function called. */
  readonly share: number
}

/** Where the thread spent its own time, most first. */
export function hotSpots({ nodes, samples, timeDeltas }: Profile): HotSpot[] {
  const byNode = new Map<number, number>()
  for (const [index, id] of samples.entries()) byNode.set(id, (byNode.get(id) ?? 0) + (timeDeltas[index] ?? 0))
  const byPlace = new Map<string, number>()
  for (const { id, callFrame } of nodes) {
    if (callFrame.functionName === '(idle)') continue
    const file = callFrame.url.replace(/^.*\/(packages|node_modules)\//, '$1/').replace(pathToFileURL('/').href, '/')
    const place = `${callFrame.functionName || '(anonymous)'} ${file === '' ? '' : `${file}:${callFrame.lineNumber + 1}`}`
    byPlace.set(place.trim(), (byPlace.get(place.trim()) ?? 0) + (byNode.get(id) ?? 0))
  }
  const busy = [...byPlace.values()].reduce((sum, time) => sum + time, 0)
  return [...byPlace]
    .map(([place, time]) => ({ place, share: time / busy }))
    .toSorted((one, other) => other.share - one.share)
}

/** The same by where the code comes from: a package, a module of Node, or V8 and the system below them. */
export function hotParts(profile: Profile): HotSpot[] {
  const byPart = new Map<string, number>()
  for (const { place, share } of hotSpots(profile)) {
    const part =
      /(?:packages|node_modules)\/(?:@[^/]+\/)?[^/]+(?:\/dist\/[^/:]+(?=\/))?|node:[^/:]+/.exec(place)?.[0] ??
      (place.startsWith('(') ? place : 'native calls')
    byPart.set(part, (byPart.get(part) ?? 0) + share)
  }
  return [...byPart].map(([place, share]) => ({ place, share })).toSorted((one, other) => other.share - one.share)
}

function print(spots: readonly HotSpot[]): void {
  for (const { place, share } of spots) console.log(`${(share * 100).toFixed(1).padStart(6)} %  ${place}`)
}

if (import.meta.main) {
  for (const file of process.argv.slice(2)) {
    // V8 wrote it.
    const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile
    console.log(`${file}, by part:`)
    print(hotParts(profile).slice(0, 15))
    console.log('by function:')
    print(hotSpots(profile).slice(0, 25))
  }
}
