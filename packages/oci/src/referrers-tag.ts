import { ParseError } from './result.ts'
import { shown } from './shown.ts'

/**
 * The tag under which clients keep the referrers of a digest in registries without the referrers API
 * (distribution-spec, "Referrers Tag Schema"). Takes any digest of the OCI grammar, of unregistered algorithms too.
 *
 * @throws {ParseError} if there is no colon between two parts
 */
export const referrersTag = (digest: string): string => {
  const colon = digest.indexOf(':')
  if (colon < 1 || colon === digest.length - 1) {
    throw new ParseError('digest', [{ path: '', message: `must be <algorithm>:<encoded>, got ${shown(digest)}` }])
  }
  // "the digest's `algorithm` section truncated to 32 characters", "`encoded` section truncated to 64 characters",
  // "with any characters not allowed by <tag-or-digest> tags replaced with `-`"
  const algorithm = digest.slice(0, Math.min(colon, 32))
  const encoded = digest.slice(colon + 1, colon + 1 + 64)
  return `${algorithm}-${encoded}`.replaceAll(/[^a-zA-Z0-9._-]/g, '-')
}
