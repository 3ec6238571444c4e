import { expect, it } from 'vitest'
import { hotParts, hotSpots } from '../bench/summarize-profile.ts'

const frame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber })

it('adds up the own time of a function over all its callers, as a share of the time that was not idle', () => {
  const file = 'file:///somewhere/packages/registry/dist/http/handle.js'
  const spots = hotSpots({
    nodes: [
      { id: 1, callFrame: frame('(idle)') },
      { id: 2, callFrame: frame('writev') },
      { id: 3, callFrame: frame('handle', file, 41) },
      { id: 4, callFrame: frame('handle', file, 41) },
    ],
    samples: [1, 2, 3, 4, 3],
    timeDeltas: [1000, 10, 10, 10, 10],
  })
  expect(spots).toEqual([
    { place: 'handle packages/registry/dist/http/handle.js:42', share: 0.75 },
    { place: 'writev', share: 0.25 },
  ])
})

it('adds up what comes from the same part of a package, of Node, and from below', () => {
  const registry = 'file:///somewhere/packages/registry/dist'
  const parts = hotParts({
    nodes: [
      { id: 1, callFrame: frame('handle', `${registry}/http/handle.js`, 41) },
      { id: 2, callFrame: frame('get', `${registry}/http/blobs.js`, 1) },
      { id: 3, callFrame: frame('emit', 'node:events', 1) },
      { id: 4, callFrame: frame('writev') },
      { id: 5, callFrame: frame('(garbage collector)') },
      { id: 6, callFrame: frame('run', 'file:///somewhere/node_modules/@scope/library/lib/run.js', 1) },
    ],
    samples: [1, 2, 3, 4, 5, 6],
    timeDeltas: [30, 20, 20, 15, 10, 5],
  })
  expect(parts).toEqual([
    { place: 'packages/registry/dist/http', share: 0.5 },
    { place: 'node:events', share: 0.2 },
    { place: 'native calls', share: 0.15 },
    { place: '(garbage collector)', share: 0.1 },
    { place: 'node_modules/@scope/library', share: 0.05 },
  ])
})
