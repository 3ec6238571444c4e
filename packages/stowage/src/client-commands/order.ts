import { existsSync } from 'node:fs'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { isLocalPlace } from './image-file.ts'

/** Whether it names something in a registry, with its host, and there is no such file. */
export const namesRegistry = (text: string): boolean =>
  /^(?:(?:https?|docker):\/\/)?(?:localhost|[^/.~][^/]*[.:][^/]*)\/./.test(text) && !existsSync(text)

/**
 * Commands that push files have the reference first, and users of others write it last.
 *
 * @throws {StowageError} `usage` when a file stands where the reference should be, and the other way round
 */
export const checkOrder = (command: string, reference: string, files: readonly string[]): void => {
  const place = files.find((file) => namesRegistry(file) || isLocalPlace(file))
  if (place === undefined || namesRegistry(reference) || isLocalPlace(reference) || !existsSync(reference)) return
  const others = [reference, ...files.filter((file) => file !== place)].join(' ')
  throw new StowageError('usage', `${show(reference)} is a file, and the reference comes first.`, {
    hint: `Write: stowage ${command} ${place} ${others}`,
  })
}
