import { isMediaType } from '@stowage/oci'

/** A file as a person names it. */
export interface FileArgument {
  readonly path: string
  readonly mediaType: string | undefined
}

/**
 * `file` or `file:media/type`, as oras has it. What follows the last colon counts only when it is a media type, so that
 * `C:\file` is a path.
 */
export const parseFileArgument = (text: string): FileArgument => {
  const colon = text.lastIndexOf(':')
  const mediaType = text.slice(colon + 1)
  if (colon < 1 || !isMediaType(mediaType)) return { path: text, mediaType: undefined }
  return { path: text.slice(0, colon), mediaType }
}
