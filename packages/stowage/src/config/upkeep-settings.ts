import type { Setting } from './setting.ts'

/** The settings of what the registry does by itself to stay in order. Part of the table in `settings.ts`. */
export const upkeepSettings = {
  'garbage.every': {
    kind: 'duration',
    default: '1h',
    least: 0,
    about: 'How often garbage is collected: blobs that no manifest uses; 0: only when `stowage gc` says so',
  },
  'garbage.grace': {
    kind: 'duration',
    default: '24h',
    least: 0,
    about: 'How long a blob must have been unused before it goes; longer than any push takes',
  },
  'retention.every': {
    kind: 'duration',
    default: '1h',
    least: 0,
    about: 'How often `retention.rules` are applied; 0: only when `stowage retention apply` says so',
  },
  'retention.restoreFor': {
    kind: 'duration',
    default: '7d',
    least: 0,
    about:
      'How long `stowage restore` can bring back a tag that a rule removed; until then what it names can still be pulled by digest',
  },
  'retention.rules': {
    kind: 'retention',
    about:
      'Which tags stay, by repository: a list of `{ repositories, keep: { newest, youngerThan, pulledWithin, matching }, untagged }`; the first that matches counts. Unset: every tag stays',
  },
  'scrub.every': {
    kind: 'duration',
    default: '0s',
    least: 0,
    about:
      'How long after the end of one scrub, which reads every blob and compares it with its digest, the next begins; `7d` for instance. 0: only when `stowage scrub` says so',
  },
  'scrub.rate': {
    kind: 'size',
    default: '16MiB',
    least: 0,
    about: 'Bytes a second that a scrub reads; 0: as fast as the disk gives them',
  },
} as const satisfies Record<string, Setting>
