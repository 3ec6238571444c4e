import { isJsonObject, requireString } from './fields.ts'
import { createFindings } from './findings.ts'
import { readJsonDocument } from './json-document.ts'
import { type Result, success, unwrap } from './result.ts'
import { shown } from './shown.ts'

/** The names in an image layout, OCI's form of an image in a directory (image-spec, "OCI Image Layout"). */
export const imageLayout = {
  /** The file that says that this is a layout. */
  layoutFile: 'oci-layout',
  /** The index of everything in it. */
  indexFile: 'index.json',
  /** Blobs and manifests, as `blobs/<algorithm>/<hex>`. */
  blobsDirectory: 'blobs',
  version: '1.0.0',
} as const

/** The content of the file `oci-layout`. */
export interface ImageLayout {
  readonly imageLayoutVersion: typeof imageLayout.version
}

/** @throws {ParseError} with every problem */
export const parseImageLayout = (bytes: Uint8Array): ImageLayout =>
  unwrap('oci-layout file', safeParseImageLayout(bytes))

export const safeParseImageLayout = (bytes: Uint8Array): Result<ImageLayout> => {
  const findings = createFindings()
  const value = readJsonDocument(bytes, findings)
  if (findings.any) return { ok: false, problems: findings.list() }
  if (!isJsonObject(value)) {
    findings.add('', `must be an object, got ${shown(value)}`)
  } else {
    const version = requireString(value, 'imageLayoutVersion', '', findings)
    if (version === imageLayout.version) {
      if (!findings.any) return success({ imageLayoutVersion: version })
    } else if (version !== undefined) {
      findings.add('imageLayoutVersion', `must be ${shown(imageLayout.version)}, got ${shown(version)}`)
    }
  }
  return { ok: false, problems: findings.list() }
}
