import {
  type AccessControl,
  type AccountOptions,
  anonymous,
  type Logger,
  type RegistryOptions,
} from '@stowage/registry'
import { parseTagGlob } from './config/names.ts'
import type { Settings } from './config/settings.ts'

/**
 * The part of the settings that the registry itself wants.
 *
 * Accounts are there also while `auth` is not on, so that they can be prepared while the server runs. Nobody is asked for them
 * then: what the host says of access goes before what accounts say. Who only looks at what is stored opens it without.
 */
export const registryOptions = (
  settings: Settings,
  logger: Logger,
  accounts: AccountOptions | undefined,
): RegistryOptions => ({
  storage: settings.data,
  logger,
  ...given('accounts', accounts),
  ...(settings.auth !== true && { access: open }),
  policies: {
    readOnly: settings['policies.readOnly'],
    deletion: settings['policies.deletion'],
    immutableTags: (settings['policies.immutableTags'] ?? []).flatMap((text) => parseTagGlob(text) ?? []),
    quotas: settings['policies.quotas'] ?? [],
  },
  limits: {
    ...(settings.auth === true && {
      requestRate: settings['limits.requestRate'],
      requestBurst: settings['limits.requestBurst'],
    }),
    openUploads: settings['limits.openUploads'],
    allOpenUploads: settings['limits.allOpenUploads'],
  },
  ...given('trustedProxies', settings.trustedProxies),
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
  upkeep: {
    garbage: { every: settings['garbage.every'], grace: settings['garbage.grace'] },
    retention: {
      every: settings['retention.every'],
      restoreFor: settings['retention.restoreFor'],
      rules: settings['retention.rules'] ?? [],
    },
    scrub: { every: settings['scrub.every'], rate: settings['scrub.rate'] },
  },
  ...(settings['cors.origins'] === undefined ? {} : { cors: { origins: settings['cors.origins'] } }),
})

/** Whoever comes may do everything. */
const open: AccessControl = {
  authenticate: () => anonymous,
  authorize: () => ({ allow: true }),
  visible: () => ({ kind: 'all' }),
}

/** An option that is not set is left away: the registry's own default holds. */
const given = <K extends string, V>(name: K, value: V | undefined): { readonly [N in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [N in K]?: V }
