/**
 * Whether a tag is a semantic version by the grammar of https://semver.org (2.0.0), with or without a leading `v`. A tag
 * cannot have the `+` before build metadata: as Helm does, `_` stands for it.
 */
export const isSemverTag = (tag: string): boolean => {
  const [version = '', build, ...more] = (tag.startsWith('v') ? tag.slice(1) : tag).split('_')
  const dash = version.indexOf('-')
  const core = (dash === -1 ? version : version.slice(0, dash)).split('.')
  const preRelease = dash === -1 ? [] : version.slice(dash + 1).split('.')
  return (
    more.length === 0 &&
    core.length === 3 &&
    core.every(isNumber) &&
    preRelease.every((part) => isIdentifier(part) && (isNumber(part) || !isDigits(part))) &&
    (build === undefined || build.split('.').every(isIdentifier))
  )
}

const isDigits = (text: string): boolean => /^[0-9]+$/.test(text)

/** "Numeric identifiers MUST NOT include leading zeroes." */
const isNumber = (text: string): boolean => isDigits(text) && (text === '0' || !text.startsWith('0'))

/** "Identifiers MUST comprise only ASCII alphanumerics and hyphens [0-9A-Za-z-]. Identifiers MUST NOT be empty." */
const isIdentifier = (text: string): boolean => /^[0-9A-Za-z-]+$/.test(text)
