import type { Row } from './row.ts'

/** In the order of the table. */
export const rows: readonly Row[] = []
