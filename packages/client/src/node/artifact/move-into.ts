import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ClientError } from '../../errors.ts'
import { onFile } from '../file-errors.ts'
import { ensureDirectory, lookAt } from './target-directory.ts'

/**
 * Puts what is in one directory into another one, which may be there and have files of its own. Nothing is moved when something
 * is in the way.
 *
 * @param keepOld Whether a file that is there is in the way, or replaced.
 * @throws {ClientError} `exists`, `refused` for a link where a directory belongs
 */
export const moveInto = async (from: string, to: string, { keepOld }: { readonly keepOld: boolean }): Promise<void> => {
  await lookForObstacles(from, to, keepOld)
  await move(from, to)
}

const lookForObstacles = async (from: string, to: string, keepOld: boolean): Promise<void> => {
  const there = await lookAt(to)
  if (there === undefined) return
  await ensureDirectory(to)
  for (const entry of await onFile(from, () => readdir(from, { withFileTypes: true }))) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await lookForObstacles(source, target, keepOld)
    else {
      const old = await lookAt(target)
      if (old?.isDirectory() === true || (old !== undefined && keepOld)) {
        throw new ClientError('exists', `${target} is there already.`, { subject: target })
      }
    }
  }
}

const move = async (from: string, to: string): Promise<void> => {
  if ((await lookAt(to)) === undefined) {
    await onFile(to, () => rename(from, to))
    return
  }
  await ensureDirectory(to)
  for (const entry of await onFile(from, () => readdir(from, { withFileTypes: true }))) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await move(source, target)
    else await onFile(target, () => rename(source, target))
  }
}
