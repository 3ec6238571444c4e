import { json, type Reply } from './exchange.ts'
import type { Operations } from './resource.ts'

/** end-1. The body is exactly this object: the tutorial of the seed compares it strictly. */
const pong = (): Reply => json(200, { success: true })

export const ping: Operations = {
  GET: { action: 'ping', handle: pong },
  HEAD: { action: 'ping', handle: pong },
}
