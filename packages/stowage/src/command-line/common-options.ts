import {
  count,
  duration,
  flag,
  goFlag,
  oneOf,
  type OptionSpecs,
  type OptionValues,
  text,
  texts,
  toggle,
} from './option-kinds.ts'

/** What every client command has. */
export const outputOptions = {
  format: text('--format <format>', 'how results are printed: text, json, or a Go template such as {{.Digest}}'),
  json: flag('--json', 'the same as --format json'),
  quiet: flag('-q, --quiet', 'say nothing on stderr but errors'),
  debug: flag('-d, --debug', 'show each request on stderr, without secrets', { also: ['-v', '--verbose'] }),
  noTty: flag('--no-tty', 'never draw on the terminal, and never ask'),
} satisfies OptionSpecs

/** What every command has that speaks to registries. */
export const networkOptions = {
  concurrency: count('-j, --concurrency <n>', 'requests, and blobs, under way at once', { least: 1, also: ['--jobs'] }),
  timeout: duration(
    '--timeout <duration>',
    'give up when nothing comes for so long (default 1m, and 5m for an answer)',
  ),
  retries: count('--retries <n>', 'how often something is tried again (default 4)'),
  tokenServers: texts('--token-server <host>', 'another host that may see the credentials; may be repeated'),
  distributionSpec: oneOf(
    '--distribution-spec <version>',
    'v1.1-referrers-api or v1.1-referrers-tag (default: asks the registry)',
    ['v1.1-referrers-api', 'v1.1-referrers-tag'],
  ),
} satisfies OptionSpecs

/** How a registry is spoken to. In a command with two sides these hold for both. */
const wireOptions = (prefix: '' | 'from-' | 'to-', skopeo: '' | 'src-' | 'dest-') =>
  ({
    plainHttp: toggle(`--${prefix}plain-http`, 'speak HTTP, not HTTPS (default: only to this machine itself)', {
      also: skopeo === '' ? [] : [`--${skopeo}plain-http`],
    }),
    insecure: flag(`--${prefix}insecure`, 'speak HTTPS, and believe every certificate', {
      also: skopeo === '' ? [] : [`--${skopeo}insecure`],
    }),
    tlsVerify: goFlag(`--${skopeo}tls-verify [bool]`, 'skopeo: =false is --insecure', { hidden: true }),
    caFile: text(`--${prefix}ca-file <file>`, 'trust the certificate authorities in this file (PEM)', {
      also: skopeo === '' ? [] : [`--${skopeo}ca-file`],
    }),
    certFile: text(`--${prefix}cert-file <file>`, 'show this certificate (PEM)'),
    keyFile: text(`--${prefix}key-file <file>`, 'the key to it (PEM)'),
    registryConfigs: texts(
      `--${prefix}registry-config <file>`,
      'credentials are in this file, a config.json or auth.json; may be repeated',
      { also: [`--${skopeo}authfile`] },
    ),
    ociLayout: flag(`--${prefix}oci-layout`, 'the reference is the path of an image layout, as after ocidir:'),
  }) satisfies OptionSpecs

const credentialOptions = (prefix: '' | 'from-' | 'to-', skopeo: '' | 'src-' | 'dest-') =>
  ({
    username: text(`${prefix === '' ? '-u, ' : ''}--${prefix}username <name>`, 'log in for this command'),
    password: text(`${prefix === '' ? '-p, ' : ''}--${prefix}password <password>`, 'others on this machine can see it'),
    passwordStdin: flag(`--${prefix}password-stdin`, 'read the password from stdin', {
      also: prefix === '' ? ['--pass-stdin'] : [],
    }),
    identityToken: text(`--${prefix}identity-token <token>`, 'a refresh token, in place of name and password'),
    identityTokenStdin: flag(`--${prefix}identity-token-stdin`, 'read the refresh token from stdin'),
    credentials: text(`--${skopeo}creds <name:password>`, 'skopeo: --username and --password', { hidden: true }),
  }) satisfies OptionSpecs

export const registryOptions = { ...wireOptions('', ''), ...credentialOptions('', '') }
export const bothSidesOptions = wireOptions('', '')
export const fromOptions = { ...wireOptions('from-', 'src-'), ...credentialOptions('from-', 'src-') }
export const toOptions = { ...wireOptions('to-', 'dest-'), ...credentialOptions('to-', 'dest-') }

/** What every command has that is about a registry of one's own. */
export const serverOptions = {
  data: text('--data <path>', 'its data directory (default ./data)'),
  config: text('--config <file>', 'a configuration file; also STOWAGE_CONFIG'),
} satisfies OptionSpecs

/** What the command line says of one registry. */
export type RegistrySettings = OptionValues<typeof registryOptions>
export type WireSettings = OptionValues<typeof bothSidesOptions>
export type ServerSettings = OptionValues<typeof serverOptions>
export type OutputSettings = OptionValues<typeof outputOptions>

/** What it says of all. */
export type SharedSettings = OptionValues<typeof networkOptions>
