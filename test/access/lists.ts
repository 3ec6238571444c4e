import type { Answer } from './client.ts'
import type { Credential } from './credentials.ts'
import { areas, listed } from './policy-model.ts'
import { names } from './world.ts'

const areaNames = { public: 'public/', internal: 'internal/', own: 'acme/', other: 'globex/' } as const

/** A list shows what may be pulled: all of it and nothing else. */
export const listDifferences = (answer: Answer, credential: Credential): Wrong[] => {
  const { repositories: shown } = JSON.parse(answer.body) as { repositories: string[] }
  const visible = listed(credential)
  const differences: Wrong[] = []
  for (const name of shown) {
    if (!visible.some((area) => name.startsWith(areaNames[area]))) {
      differences.push({ expected: `a list of ${visible.join(', ') || 'nothing'}`, found: name })
    }
  }
  for (const area of areas) {
    const there = Object.values(names).filter((name) => name.startsWith(areaNames[area]))
    for (const name of there) {
      if (visible.includes(area) && !shown.includes(name)) {
        differences.push({ expected: `a list with ${name}`, found: shown.join(', ') })
      }
    }
  }
  return differences
}

interface Wrong {
  readonly expected: string
  readonly found: string
}
