/** The licences that `examples/licences/server.ts` reads, for the two tests that run it. */
import { createHash, randomBytes } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface TestLicence {
  readonly customer: string
  readonly key: string
  readonly plan: string
  readonly ends: string
}

export const [past, future] = ['2020-01-01', '2999-01-01']

export const newKey = (): string => randomBytes(32).toString('hex')

/** In one step: the server may read at any moment. */
export const writeLicences = async (directory: string, licences: readonly TestLicence[]): Promise<void> => {
  const kept = licences.map(({ key, ...licence }) => ({
    ...licence,
    keySha256: createHash('sha256').update(key).digest('hex'),
  }))
  const unfinished = join(directory, 'licences.new')
  await writeFile(unfinished, JSON.stringify(kept))
  await rename(unfinished, join(directory, 'licences.json'))
}
