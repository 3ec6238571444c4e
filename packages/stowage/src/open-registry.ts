import {
  AccountError,
  createRegistry,
  DirectoryLockedError,
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
    if (isAboutOptions(cause)) throw new StowageError('configuration', cause.message, { cause })
    throw cannotUse(data, cause)
  }
}

/** An htpasswd file with a line that is wrong, a secret that can be guessed: seen only when the registry opens. */
const isAboutOptions = (cause: unknown): cause is Error =>
  cause instanceof AccountError || (cause instanceof Error && cause.constructor === Error && !('code' in cause))
