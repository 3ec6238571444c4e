import { expect, it } from 'vitest'
import { hotSpots } from '../bench/summarize-profile.ts'

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
