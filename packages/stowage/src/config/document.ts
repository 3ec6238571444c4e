import { environmentNames, flagOf, hasFlag, isToggle, type SettingKey, settingKeys, settingOf } from './settings.ts'

/** The table of `docs/configuration.md`; a test holds the two together. */
export const settingsTable = (): string =>
  [
    '| key | default | environment | flag | what it does |',
    '|---|---|---|---|---|',
    ...settingKeys.map(
      (key) => `| ${[`\`${key}\``, fallback(key), names(key), flag(key), settingOf(key).about].join(' | ')} |`,
    ),
  ].join('\n')

const fallback = (key: SettingKey): string => {
  const value = settingOf(key).default
  if (value === undefined) return '–'
  return `\`${typeof value === 'boolean' ? (value ? 'yes' : 'no') : value}\``
}

const names = (key: SettingKey): string =>
  environmentNames(key)
    .map((name) => `\`${name}\``)
    .join(', ')

const flag = (key: SettingKey): string => {
  const { kind, default: value } = settingOf(key)
  if (key === 'address') return 'the argument'
  if (!hasFlag(key)) return '–'
  const [on, off] = [`\`${flagOf(key)}\``, `\`${flagOf(key).replace('--', '--no-')}\``]
  // Of a boolean the flag that changes something; its opposite is there too.
  if (isToggle(key)) return kind === 'switch' ? `${on}, ${off}` : value === true ? off : on
  return on
}
