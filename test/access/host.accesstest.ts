import { expect, it } from 'vitest'
import { proveHost } from './host.ts'
import { product } from './registry.ts'

it('what a host says of a tag holds however the tag is named', async () => {
  const { cases, differences } = await proveHost(product)
  console.log(`${cases - differences.length} of ${cases} verdicts equal where a host decides`)
  expect(differences).toEqual([])
})
