/** Something a registry wants people to read. */
export interface RegistryWarning {
  readonly registry: string
  readonly text: string
}

/**
 * "the warning header … MUST be in the form `299 - "text"`" (distribution-spec, "Warnings"). Others are not for people, and are
 * left out.
 */
export const parseWarnings = (header: string | null): string[] => {
  if (header === null || header.length > 16 * 1024) return []
  return [...header.matchAll(/299 +- +"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'))
}
