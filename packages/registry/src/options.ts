import type { AccessControl } from './access/access.ts'
import type { Policies } from './access/policies.ts'
import type { AccountOptions } from './accounts/account-options.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import { OptionsError } from './errors.ts'
import type { Hooks } from './events/hooks.ts'
import type { Cors } from './http/cors.ts'
import type { RequestSummary } from './http/handle.ts'
import type { Logger } from './logger.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import { accountProblems, policyProblems } from './option-problems.ts'
import { upkeepProblems } from './upkeep-problems.ts'
import type { UpkeepRun } from './upkeep/upkeep.ts'
import { type UpkeepOptions, type UpkeepSettings, upkeepSettings } from './upkeep/upkeep-options.ts'

export interface RegistryOptions {
  /**
   * Where everything is kept: the path of a directory of the registry's own (SQLite and files, made when missing), `:memory:`
   * for tests, or two stores of your choice, which the registry then closes.
   */
  readonly storage: string | { readonly metadata: MetadataStore; readonly blobs: BlobStore }
  /**
   * The origin under which clients reach the registry (`https://registry.example`). With it Locations are absolute; without
   * it they are relative, which every client understands and no proxy can get wrong.
   */
  readonly publicUrl?: string
  readonly uploads?: {
    /** Seconds without a byte after which an unfinished upload is forgotten. Default 600. */
    readonly expireAfter?: number
    /** Bytes; sent as `OCI-Chunk-Min-Length`, never enforced. Default: not sent. */
    readonly chunkMinLength?: number
    /** Bytes of the largest blob. Default: no limit but the storage's. */
    readonly maxBlobSize?: number
  }
  readonly manifests?: {
    /** Bytes; a larger one is answered 413. Default 4 MiB, which is also the least that clients may count on. */
    readonly maxSize?: number
    /** Accept manifests whose config or layers the repository does not have. Default false. */
    readonly allowMissingBlobs?: boolean
    /** Accept indexes whose manifests the repository does not have. Default true. */
    readonly allowMissingManifests?: boolean
    /** Bytes of manifests kept in memory. Default 16 MiB. */
    readonly cacheSize?: number
  }
  /**
   * The registry's own accounts: users, tokens, rules, and the token endpoint `/auth/token`. Everything is then private unless
   * a rule allows it. Default: none, and whoever is not stopped by `access` may do everything.
   */
  readonly accounts?: AccountOptions
  /** What the host decides itself, each in the place of what `accounts` would do, or alone. */
  readonly access?: AccessControl
  /** What holds for everybody: read-only, no deletion, immutable tags, quotas. Default: none. */
  readonly policies?: Policies
  readonly limits?: Limits
  /** What the registry does by itself to stay in order. Default: nothing but what `sweep` does. */
  readonly upkeep?: UpkeepOptions
  /**
   * Addresses and networks (CIDR) of proxies in front, whose `X-Forwarded-For`, `-Proto` and `-Host` (or `Forwarded`) are
   * believed. Default: nobody's.
   */
  readonly trustedProxies?: readonly string[]
  readonly hooks?: Hooks
  /** Pages of other origins that may call the registry. Default: none. */
  readonly cors?: Cors
  /** Default: silence. */
  readonly logger?: Logger
  /** Called once for each answered request. Must not throw. */
  readonly onResponse?: (summary: RequestSummary) => void
  /** Called after each run of upkeep. Must not throw. */
  readonly onUpkeep?: (run: UpkeepRun) => void
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number
}

export interface Limits {
  /** Requests a second of one principal from one network (IPv4 /24, IPv6 /64), on average; 0: no limit. Default 0. */
  readonly requestRate?: number
  /** How many may come at once before that. Default 20 times the rate. */
  readonly requestBurst?: number
  /** Unfinished uploads of one principal; all who give no name have what all have. Default 1000. */
  readonly openUploads?: number
  /** Unfinished uploads of all. Default 10,000. */
  readonly allOpenUploads?: number
}

/** The options with their defaults, in the shapes that the parts want. Times in milliseconds, sizes in bytes. */
export interface Settings {
  readonly http: { readonly publicUrl: string; readonly maxManifestSize: number; readonly chunkMinLength: number }
  readonly uploads: {
    readonly expireAfter: number
    readonly maxBlobSize: number
    readonly maxOpen: { readonly ofActor: number; readonly ofAll: number }
  }
  readonly requests: { readonly rate: number; readonly burst: number }
  /** Times in milliseconds. */
  readonly upkeep: UpkeepSettings
  readonly manifests: {
    readonly allowMissingBlobs: boolean
    readonly allowMissingManifests: boolean
    readonly cacheSize: number
  }
}

/** Every option there is. One that is not here is a mistake of the caller, and says so. */
const known = {
  '': [
    'storage',
    'publicUrl',
    'uploads',
    'manifests',
    'accounts',
    'access',
    'policies',
    'limits',
    'upkeep',
    'trustedProxies',
    'hooks',
    'cors',
    'logger',
    'onResponse',
    'onUpkeep',
    'now',
  ],
  uploads: ['expireAfter', 'chunkMinLength', 'maxBlobSize'],
  manifests: ['maxSize', 'allowMissingBlobs', 'allowMissingManifests', 'cacheSize'],
  accounts: [
    'secret',
    'firstAdministrator',
    'rules',
    'issuers',
    'htpasswd',
    'credentials',
    'tokenServer',
    'service',
    'tokenLifetime',
    'signingAlgorithm',
  ],
  access: ['authenticate', 'authorize', 'visible'],
  policies: ['readOnly', 'deletion', 'immutableTags', 'quotas'],
  limits: ['requestRate', 'requestBurst', 'openUploads', 'allOpenUploads'],
  upkeep: ['garbage', 'retention', 'scrub'],
  hooks: ['receivers', 'pulled'],
  cors: ['origins'],
} as const

const MiB = 1024 * 1024

/** @throws OptionsError that lists every option that is unknown or out of range. */
export const resolveOptions = (options: RegistryOptions): Settings => {
  const problems: string[] = []
  for (const [section, names] of Object.entries(known)) {
    const value: unknown = section === '' ? options : options[section as Exclude<keyof typeof known, ''>]
    if (value === undefined) continue
    if (typeof value !== 'object' || value === null) {
      problems.push(`${section} must be an object`)
      continue
    }
    for (const name of Object.keys(value)) {
      if (!(names as readonly string[]).includes(name)) {
        problems.push(`${section === '' ? '' : `${section}.`}${name} is not an option; there are ${names.join(', ')}`)
      }
    }
  }
  const number = (name: string, value: number | undefined, fallback: number, least: number): number => {
    if (value === undefined) return fallback
    if (typeof value === 'number' && value >= least && Number.isSafeInteger(value)) return value
    problems.push(`${name} must be a whole number of ${least} or more, not ${String(value)}`)
    return fallback
  }
  const { storage } = options as { storage: unknown }
  const stores = typeof storage === 'object' && storage !== null && 'metadata' in storage && 'blobs' in storage
  if (!stores && (typeof storage !== 'string' || storage === '')) {
    problems.push("storage must be the path of a directory, ':memory:', or { metadata, blobs }")
  }
  const { uploads = {}, manifests = {}, limits = {} } = options
  const rate = number('limits.requestRate', limits.requestRate, 0, 0)
  problems.push(
    ...accountProblems(options.accounts),
    ...policyProblems(options.policies),
    ...upkeepProblems(options.upkeep),
  )
  const settings: Settings = {
    http: {
      publicUrl: publicOrigin(options.publicUrl, problems),
      maxManifestSize: number('manifests.maxSize', manifests.maxSize, 4 * MiB, 1),
      chunkMinLength: number('uploads.chunkMinLength', uploads.chunkMinLength, 0, 0),
    },
    uploads: {
      expireAfter: 1000 * number('uploads.expireAfter', uploads.expireAfter, 600, 1),
      maxBlobSize: number('uploads.maxBlobSize', uploads.maxBlobSize, Number.MAX_SAFE_INTEGER, 1),
      maxOpen: {
        ofActor: number('limits.openUploads', limits.openUploads, 1000, 1),
        ofAll: number('limits.allOpenUploads', limits.allOpenUploads, 10_000, 1),
      },
    },
    requests: { rate, burst: number('limits.requestBurst', limits.requestBurst, 20 * rate, 0) },
    upkeep: upkeepSettings(options.upkeep),
    manifests: {
      allowMissingBlobs: manifests.allowMissingBlobs ?? false,
      allowMissingManifests: manifests.allowMissingManifests ?? true,
      cacheSize: number('manifests.cacheSize', manifests.cacheSize, 16 * MiB, 1),
    },
  }
  if (problems.length > 0) throw new OptionsError(`The registry cannot be made: ${problems.join('; ')}.`)
  return settings
}

const publicOrigin = (value: string | undefined, problems: string[]): string => {
  if (value === undefined) return ''
  if (URL.canParse(value)) {
    const { protocol, search, hash, username, origin, pathname } = new URL(value)
    if ((protocol === 'http:' || protocol === 'https:') && search === '' && hash === '' && username === '') {
      return `${origin}${pathname}`.replace(/\/+$/, '')
    }
  }
  problems.push('publicUrl must be an http or https URL without credentials, query or fragment')
  return ''
}
