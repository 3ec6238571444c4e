import {
  AccountError,
  createRegistry,
  DataDirectoryError,
  DirectoryLockedError,
  OptionsError,
  type Registry,
  type RegistryOptions,
} from '@stowage/registry'
import { StowageError } from './failure.ts'
import { cannotUse, prepareDataDirectory } from './server/data-directory.ts'

/** Opens the registry of a data directory. @throws StowageError when it is another process's, or cannot be used. */
export const openRegistry = async (data: string, options: RegistryOptions): Promise<Registry> => {
  await prepareDataDirectory(data)
  try {
    return await createRegistry(options)
  } catch (cause) {
    if (cause instanceof DirectoryLockedError) throw new StowageError('locked', cause.message, { cause })
    if (cause instanceof OptionsError || cause instanceof AccountError) {
      throw new StowageError('configuration', cause.message, { cause })
    }
    if (saysWhatToDo(cause)) throw new StowageError('data', cause.message, { cause })
    throw cannotUse(data, cause)
  }
}

/** About the directory, or the database in it. */
const saysWhatToDo = (cause: unknown): cause is Error =>
  cause instanceof DataDirectoryError ||
  (cause instanceof Error && 'code' in cause && cause.code === 'DATABASE_UNUSABLE')
