import { accessSettings } from './access-settings.ts'
import type { Kind, KindValues, Setting } from './setting.ts'
import { upkeepSettings } from './upkeep-settings.ts'

/**
 * Everything that can be set, in one table. The schema of the configuration file, the names in the environment, the flags,
 * `--help`, `--check-config`, the types of `serve()` and the table in `docs/configuration.md` are all made from it.
 *
 * It is plain data, so that `stowage --help` need not load a schema library.
 */
export const settings = {
  address: {
    kind: 'address',
    default: '127.0.0.1:5000',
    about:
      'Where to listen: `5000` (this machine only), `127.0.0.1:8000`, `[::1]:5000`, `0.0.0.0` or `:5000` (every interface)',
    common: true,
  },
  data: {
    kind: 'path',
    default: './data',
    about: 'The directory that holds everything; made when missing, and owned by one process at a time',
    common: true,
  },
  publicUrl: {
    kind: 'url',
    about:
      'The URL under which clients reach the registry, behind a proxy for instance; makes every `Location` absolute',
    common: true,
  },
  auth: {
    kind: 'switch',
    opposites: ['DISABLE_AUTHENTICATION'],
    unanimous: true,
    about:
      '`on`: clients log in, and may do what a rule allows; `off`: whoever reaches the registry may do everything. Unset: as `off`, and said at every start',
    common: true,
  },
  allowAnonymous: {
    kind: 'boolean',
    default: false,
    about:
      'Listen beyond the loopback interface although `auth` is not on and everyone who can reach the registry may push, pull and delete',
    common: true,
  },
  ...accessSettings,
  'tls.cert': {
    kind: 'path',
    about: 'A PEM file with the certificate and its chain; turns HTTPS on, with `tls.key`',
    common: true,
  },
  'tls.key': { kind: 'path', about: 'A PEM file with the private key of `tls.cert`', common: true },
  'uploads.expireAfter': {
    kind: 'duration',
    default: '10m',
    least: 1,
    whole: true,
    about: 'An unfinished upload is forgotten when no byte of it came for this long',
  },
  'uploads.chunkMinLength': {
    kind: 'size',
    least: 1,
    about: 'Tells clients, in `OCI-Chunk-Min-Length`, how large chunks should be at least; smaller ones are accepted',
  },
  'uploads.maxBlobSize': {
    kind: 'size',
    least: 1,
    about: 'The largest blob that is accepted; unset: what the disk holds',
  },
  'manifests.maxSize': {
    kind: 'size',
    default: '4MiB',
    least: 1,
    about: 'The largest manifest that is accepted; a larger one is answered 413',
  },
  'manifests.allowMissingBlobs': {
    kind: 'boolean',
    default: false,
    aliases: ['STOWAGE_ALLOW_MISSING_BLOBS'],
    about: 'Accept manifests whose config or layers the repository does not have',
  },
  'manifests.allowMissingManifests': {
    kind: 'boolean',
    default: true,
    about: 'Accept indexes whose manifests the repository does not have (yet)',
  },
  ...upkeepSettings,
  'cors.origins': {
    kind: 'origins',
    about: 'Pages of which origins may call the registry from a browser: a list such as `https://app.example`, or `*`',
  },
  'log.level': {
    kind: 'level',
    default: 'info',
    about: '`debug` (every request), `info` (changes and refusals), `warn`, `error` or `silent`',
    common: true,
  },
  metrics: { kind: 'boolean', default: true, about: 'Serve `/metrics` for Prometheus' },
  'limits.bodyIdle': {
    kind: 'duration',
    default: '30s',
    least: 0.05,
    about: 'A connection ends when no byte of a request body came for this long',
  },
  'limits.bodyMinRate': {
    kind: 'size',
    default: '1KiB',
    least: 0,
    about: 'Bytes a second that a request body must reach on average; 0 turns the limit off',
  },
  'limits.bodyGrace': {
    kind: 'duration',
    default: '60s',
    least: 0.05,
    about: 'How long a request body may be slower than that',
  },
  'limits.readerIdle': {
    kind: 'duration',
    default: '60s',
    least: 0.05,
    about: 'A connection ends when a client takes nothing of its answer for this long',
  },
  'limits.keepAlive': {
    kind: 'duration',
    default: '75s',
    least: 1,
    about: 'How long a connection may wait for its next request; longer than that of a load balancer in front',
  },
  'limits.requestRate': {
    kind: 'count',
    default: 1000,
    least: 0,
    needsAuth: true,
    about:
      'Requests a second of one user from one network (IPv4 /24, IPv6 /64), before they are answered 429; 0 turns the limit off',
  },
  'limits.requestBurst': {
    kind: 'count',
    default: 20_000,
    least: 1,
    needsAuth: true,
    about: 'Requests that may come at once before that rate counts',
  },
  'limits.openUploads': {
    kind: 'count',
    default: 1000,
    least: 1,
    about: 'Unfinished uploads of one user; who gives no name, as everybody without `auth`, has what all have',
  },
  'limits.allOpenUploads': {
    kind: 'count',
    default: 10_000,
    least: 1,
    about: 'Unfinished uploads of all together',
  },
  'shutdown.drainDelay': {
    kind: 'duration',
    default: '0s',
    least: 0,
    about: 'After a signal to stop, `/readyz` fails at once, and new requests are still served for this long',
  },
  'shutdown.deadline': {
    kind: 'duration',
    default: '30s',
    least: 0,
    about: 'Requests under way when the server stops may take this long to finish before they are cut off',
  },
} as const satisfies Record<string, Setting>

export type SettingKey = keyof typeof settings

/** A setting's value once it was read; `undefined` only where there is no default. */
type SettingValue<K extends SettingKey> =
  | KindValues[(typeof settings)[K]['kind']]
  | ((typeof settings)[K] extends { readonly default: unknown } ? never : undefined)

/** Every setting with its value, by its key. */
export type Settings = { readonly [K in SettingKey]: SettingValue<K> }

export const settingKeys = Object.keys(settings) as SettingKey[]

export const settingOf = (key: SettingKey): Setting => settings[key]

/** `uploads.expireAfter` → `--uploads-expire-after` */
export const flagOf = (key: SettingKey): string => `--${kebab(key)}`

/** Flags that are there to be seen by everybody on the machine: no secret has one. The address is an argument. */
export const hasFlag = (key: SettingKey): boolean => settingOf(key).kind !== 'secret' && key !== 'address'

/** Whether its flag takes no value, and has an opposite: `--metrics`, `--no-metrics`. */
export const isToggle = (key: SettingKey): boolean => ['boolean', 'switch'].includes(settingOf(key).kind)

/** What the flag takes, as help shows it. */
export const placeholderOf = (key: SettingKey): string => {
  const { kind } = settingOf(key)
  return isToggle(key) ? '' : `<${placeholders[kind] ?? kind}>`
}

const placeholders: Partial<Record<Kind, string>> = {
  count: 'n',
  service: 'name',
  user: 'name',
  endpoint: 'url',
  keys: 'url-or-path',
  rules: 'json',
  issuers: 'json',
  tags: 'list',
  quotas: 'json',
  networks: 'list',
  retention: 'json',
}

/** `uploads.expireAfter` → `STOWAGE_UPLOADS_EXPIRE_AFTER`, then the aliases, then those that say the opposite. */
export const environmentNames = (key: SettingKey): readonly [string, ...string[]] => [
  `STOWAGE_${kebab(key).replaceAll('-', '_').toUpperCase()}`,
  ...(settingOf(key).aliases ?? []),
  ...(settingOf(key).opposites ?? []),
]

const kebab = (key: string): string =>
  key.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
