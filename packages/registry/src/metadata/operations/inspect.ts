import type { Operation } from '../operation.ts'
import type { MetadataProblem } from '../upkeep-store.ts'

export function* inspect(_limit: number): Operation<MetadataProblem[]> {
  throw new Error('not yet')
}
