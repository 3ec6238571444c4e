import type { Logger, RegistryOptions } from '@stowage/registry'
import type { Settings } from './config/settings.ts'

/** The part of the settings that the registry itself wants. */
export const registryOptions = (settings: Settings, logger: Logger): RegistryOptions => ({
  storage: settings.data,
  logger,
  ...given('publicUrl', settings.publicUrl),
  uploads: {
    expireAfter: settings['uploads.expireAfter'],
    ...given('chunkMinLength', settings['uploads.chunkMinLength']),
    ...given('maxBlobSize', settings['uploads.maxBlobSize']),
  },
  manifests: {
    maxSize: settings['manifests.maxSize'],
    allowMissingBlobs: settings['manifests.allowMissingBlobs'],
    allowMissingManifests: settings['manifests.allowMissingManifests'],
  },
  ...(settings['cors.origins'] === undefined ? {} : { cors: { origins: settings['cors.origins'] } }),
})

/** An option that is not set is left away: the registry's own default holds. */
const given = <K extends string, V>(name: K, value: V | undefined): { readonly [N in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [N in K]?: V }
