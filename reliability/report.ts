import type { Row } from './row.ts'

export const writeReport = async (_rows: readonly Row[]): Promise<void> => Promise.reject(new Error('not yet'))
