const maxLength = 512

/**
 * The name of an archive's entry, as one text for all that mean the same: `./blobs/`, `blobs/` and `blobs` are `blobs`, and `./`
 * is nothing. Undefined for a name that could mean a place outside of where somebody unpacks it, here or on Windows.
 */
export const entryName = (name: string): string | undefined => {
  if (name.length > maxLength || /[\p{Cc}\\]/u.test(name)) return undefined
  if (name.startsWith('/')) return undefined
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  // Behind `./` too, a drive of Windows is none of a directory.
  return parts.includes('..') || /^[A-Za-z]:/.test(parts[0] ?? '') ? undefined : parts.join('/')
}

/** Where a symbolic link leads that stands at `from`. Undefined when that is outside of the archive. */
export const linkTarget = (from: string, target: string): string | undefined => {
  if (target.startsWith('/')) return undefined
  const parts = from.split('/').slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined
    } else if (part !== '' && part !== '.') parts.push(part)
  }
  return entryName(parts.join('/'))
}
