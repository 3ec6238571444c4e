import type { MetadataStore } from '@stowage/registry'
import type { FileOperations } from '../../packages/registry/src/blobs/file-system/file-operations.ts'

interface Stores {
  readonly metadata: MetadataStore
  readonly files: FileOperations
}

/**
 * The wrong order, for a control: the row of a blob is committed first, and only then does its file get its name and its
 * directory its fsync. Whoever sees the answer sees no difference.
 */
export const rowsFirst = ({ metadata, files }: Stores): Stores => {
  const put: (() => Promise<unknown>)[] = []
  return {
    files: {
      ...files,
      rename: async (from, to) => void put.push(async () => files.rename(from, to)),
      sync: async (fd) => {
        if (put.length === 0) await files.sync(fd)
        else put.push(async () => files.sync(fd))
      },
    },
    metadata: new Proxy(metadata, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name, object)
        if (name === 'finishUpload') {
          return async (...args: Parameters<MetadataStore['finishUpload']>) => {
            const result = await object.finishUpload(...args)
            for (const each of put.splice(0)) await each()
            return result
          }
        }
        return typeof value === 'function' ? (value.bind(object) as unknown) : value
      },
    }),
  }
}
