import { fileSystemBlobs } from '@stowage/registry'
import { createSimulatedFiles } from './files.ts'
import { emptyImage, type Image } from './image.ts'

/** Where the registry's data is on a simulated disk. */
export const root = '/data'

let prepared: Promise<Image> | undefined

/** A disk on which a registry was started and stopped, all of it durable. */
export const preparedImage = async (): Promise<Image> => {
  prepared ??= (async () => {
    const files = createSimulatedFiles({ image: emptyImage, clock: Date.now, log: () => {} })
    const blobs = await fileSystemBlobs({ root }, files)
    await blobs[Symbol.asyncDispose]()
    return files.snapshot()
  })()
  return prepared
}
