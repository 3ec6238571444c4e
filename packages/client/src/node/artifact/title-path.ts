import { basename, relative, resolve, sep } from 'node:path'
import { ClientError } from '../../errors.ts'

/** What systems take. */
const longestPath = 4096
const longestPart = 255

/** Names that are devices on Windows, whatever follows a dot. */
const devices = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i

/**
 * The parts of a path that others have written, when it can lead nowhere but below the place it is put to, here or on Windows:
 * not absolute, without `..`, drive letters and backslashes. `.` and `./` are no parts.
 *
 * @returns undefined for any other path
 */
export const safeParts = (
  path: string,
  platform: NodeJS.Platform = process.platform,
): readonly string[] | undefined => {
  if (path.length > longestPath || /[\p{Cc}\\]/u.test(path)) return undefined
  if (path.startsWith('/')) return undefined
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  // Behind `./`, too.
  if (/^[A-Za-z]:/.test(parts[0] ?? '')) return undefined
  const isBad = (part: string): boolean =>
    part === '..' ||
    Buffer.byteLength(part) > longestPart ||
    // A colon names a stream of a file there, and dots and blanks at the end are cut off.
    (platform === 'win32' && (/[:*?"<>|]|[. ]$/.test(part) || devices.test(part)))
  return parts.some(isBad) ? undefined : parts
}

/** @throws {ClientError} `invalid-content` for a name that can be pushed, and that nobody would pull again */
export const requireSafe = (path: string, name: string): void => {
  if (safeParts(name) !== undefined) return
  const shown = JSON.stringify(path)
  throw new ClientError('invalid-content', `${shown} has a name that is refused when it is pulled.`, {
    subject: shown,
    hint: 'Give it one without backslashes and control characters, of at most 255 bytes.',
  })
}

/** @throws {ClientError} `refused` for a title that could lead out of the directory it is written to */
export const partsOfTitle = (title: string): readonly string[] => {
  const parts = safeParts(title)
  if (parts !== undefined) return parts
  const shown = JSON.stringify(title.slice(0, 200))
  throw new ClientError('refused', `The file ${shown} is not written: its name leads out of the directory.`, {
    subject: shown,
    hint: 'Whoever pushed it can give it another title. Its bytes can be had by digest, as a blob.',
  })
}

/**
 * The title of a file that is pushed: its path below the working directory, with `/` between the parts; of one from elsewhere
 * its last part. The directory itself is `.`.
 */
export const titleOfPath = (path: string, directory: string): string => {
  const full = resolve(directory, path)
  const below = relative(directory, full)
  if (below === '') return '.'
  const parts = below.split(sep)
  // On another drive of Windows it stays absolute.
  return parts[0] === '..' || resolve(below) === below ? basename(full) : parts.join('/')
}
