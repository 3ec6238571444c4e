import { type JsonObject, member } from './fields.ts'
import type { Findings } from './findings.ts'
import {
  isManifestMediaType,
  type ManifestMediaType,
  manifestMediaTypes,
  mediaTypes,
  mediaTypeWithoutParameters,
} from './media-types.ts'
import { shown } from './shown.ts'

/** What clients send that did not think of a type: browsers, `fetch`, `curl --data-binary`, scripts. */
const genericTypes: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'text/json',
  'text/plain',
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-www-form-urlencoded',
  '*/*',
])

const supported = `supported are ${manifestMediaTypes.join(', ')}`

/**
 * The media type of a manifest: what `Content-Type` says, else what its own `mediaType` says, else what it looks like.
 *
 * "If a manifest includes a `mediaType` field, clients MUST set the `Content-Type` header to the value specified by the
 * `mediaType` field." Where they do not, readers that trust the one and readers that trust the other see two things.
 */
export const resolveManifestMediaType = (
  value: JsonObject,
  contentType: string | undefined,
  findings: Findings,
): ManifestMediaType | undefined => {
  // "The registry SHOULD ignore parameters on the `Content-Type` header."
  const header = mediaTypeWithoutParameters(contentType ?? '')
  const declared = member(value, 'mediaType')
  if (declared !== undefined && typeof declared !== 'string') {
    findings.add('mediaType', `must be a string, got ${shown(declared)}`)
    return undefined
  }
  const own = declared === '' ? undefined : declared
  if (!genericTypes.has(header)) {
    if (!isManifestMediaType(header)) {
      findings.add('', `came with the Content-Type ${shown(header)}, which is no manifest's: ${supported}`)
      return undefined
    }
    if (own !== undefined && own !== header) {
      findings.add('mediaType', `is ${shown(own)}, but the Content-Type is ${shown(header)}: they must be the same`)
      return undefined
    }
    return header
  }
  if (own !== undefined) {
    if (isManifestMediaType(own)) return own
    findings.add('mediaType', `${shown(own)} is not a manifest's: ${supported}`)
    return undefined
  }
  return inferredMediaType(value, findings)
}

const inferredMediaType = (value: JsonObject, findings: Findings): ManifestMediaType | undefined => {
  const has = (key: string): boolean => Object.hasOwn(value, key)
  if (member(value, 'schemaVersion') === 1 || has('fsLayers')) {
    findings.add('schemaVersion', `is Docker's schema 1, which is not supported: ${supported}`)
    return undefined
  }
  if (member(value, 'manifests') !== undefined) return mediaTypes.ociImageIndex
  if (member(value, 'config') !== undefined || has('layers')) return mediaTypes.ociImageManifest
  if (has('manifests')) return mediaTypes.ociImageIndex
  findings.add(
    'mediaType',
    `is missing, and neither the Content-Type nor the members tell the kind of manifest: ${supported}`,
  )
  return undefined
}
