import type { Annotations } from './annotations.ts'
import { type Descriptor, readDescriptor } from './descriptor.ts'
import {
  checkSpelling,
  isJsonObject,
  type JsonObject,
  member,
  readAnnotations,
  readMediaType,
  requireWholeNumber,
  spellings,
} from './fields.ts'
import { createFindings, type Findings } from './findings.ts'
import { readJsonDocument } from './json-document.ts'
import { itemPath } from './json-path.ts'
import { resolveManifestMediaType } from './manifest-media-type.ts'
import {
  type ArtifactManifestMediaType,
  type ImageManifestMediaType,
  type IndexMediaType,
  isImageManifestMediaType,
  isIndexMediaType,
  type ManifestMediaType,
} from './media-types.ts'
import { type Result, success, unwrap } from './result.ts'
import { shown } from './shown.ts'

interface Common {
  readonly artifactType?: string
  /** The manifest this one refers to, which makes it a referrer. */
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

/** An OCI image manifest, or a Docker manifest of schema 2. */
export interface ImageManifest extends Common {
  readonly kind: 'image'
  readonly mediaType: ImageManifestMediaType
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** An OCI image index, or a Docker manifest list. */
export interface Index extends Common {
  readonly kind: 'index'
  readonly mediaType: IndexMediaType
  readonly manifests: readonly Descriptor[]
}

/** The artifact manifest of the release candidates of image-spec 1.1. */
export interface ArtifactManifest extends Common {
  readonly kind: 'artifact'
  readonly mediaType: ArtifactManifestMediaType
  readonly blobs: readonly Descriptor[]
}

export type Manifest = ImageManifest | Index | ArtifactManifest

/** Most entries that `layers`, `manifests` or `blobs` may have. */
const maxDescriptors = 10_000

/**
 * A manifest from its bytes.
 *
 * `contentType` is the `Content-Type` it came with. The kind is what that says; without one, or with a generic one like
 * `application/json`, what the member `mediaType` says; and without that, what the manifest looks like.
 *
 * Unknown members are let pass and left out. What two readers could understand in two ways is a problem: see README.
 *
 * @throws {ParseError} with every problem and its path
 */
export const parseManifest = (bytes: Uint8Array, contentType?: string): Manifest =>
  unwrap('manifest', safeParseManifest(bytes, contentType))

export const safeParseManifest = (bytes: Uint8Array, contentType?: string): Result<Manifest> => {
  const findings = createFindings()
  const value = readJsonDocument(bytes, findings)
  if (value === undefined) return { ok: false, problems: findings.list() }
  return readManifest(value, contentType, findings)
}

/**
 * A manifest from the value of its JSON, as a program has it that just made one. What only the bytes show (duplicate keys,
 * how numbers are written) is not seen here: a receiver of manifests parses the bytes.
 *
 * @throws {ParseError} with every problem and its path
 */
export const parseManifestValue = (value: unknown, contentType?: string): Manifest =>
  unwrap('manifest', safeParseManifestValue(value, contentType))

export const safeParseManifestValue = (value: unknown, contentType?: string): Result<Manifest> =>
  readManifest(value, contentType, createFindings())

const known = spellings([
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'blobs',
  'subject',
  'annotations',
])

const readManifest = (value: unknown, contentType: string | undefined, findings: Findings): Result<Manifest> => {
  const manifest = isJsonObject(value) ? readObject(value, contentType, findings) : undefined
  if (!isJsonObject(value)) findings.add('', `must be an object, got ${shown(value)}`)
  return findings.any || manifest === undefined ? { ok: false, problems: findings.list() } : success(manifest)
}

const readObject = (value: JsonObject, contentType: string | undefined, findings: Findings): Manifest | undefined => {
  checkSpelling(value, '', known, findings)
  const mediaType = resolveManifestMediaType(value, contentType, findings)
  checkMembers(value, mediaType, findings)
  const common = readCommon(value, findings)
  if (mediaType === undefined) return undefined
  return readKind(value, mediaType, common, findings)
}

/**
 * One document that is an index to one reader and an image to another has fooled registries and runtimes (CVE-2021-41190), so
 * the lists of one kind may not stand in another.
 */
const checkMembers = (value: JsonObject, mediaType: ManifestMediaType | undefined, findings: Findings): void => {
  const isThere = (key: string): boolean => member(value, key) !== undefined
  let foreign: string[] = []
  if (mediaType === undefined) foreign = isThere('manifests') ? ['config', 'layers', 'blobs'] : []
  else if (isIndexMediaType(mediaType)) foreign = ['config', 'layers', 'blobs']
  else if (isImageManifestMediaType(mediaType)) foreign = ['manifests']
  else foreign = ['config', 'layers', 'manifests']
  for (const key of foreign.filter(isThere)) {
    findings.add(
      key,
      `does not belong in ${mediaType ?? 'a document with manifests'}: other readers may see another manifest`,
    )
  }
}

const readCommon = (value: JsonObject, findings: Findings): Common => {
  const artifactType = readMediaType(value, 'artifactType', '', findings)
  const subjectValue = member(value, 'subject')
  const subject = subjectValue === undefined ? undefined : readDescriptor(subjectValue, 'subject', findings)
  const annotations = readAnnotations(value, '', findings)
  return {
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations }),
  }
}

const readKind = (
  value: JsonObject,
  mediaType: ManifestMediaType,
  common: Common,
  findings: Findings,
): Manifest | undefined => {
  if (isIndexMediaType(mediaType)) {
    requireSchemaVersion(value, findings)
    return { kind: 'index', mediaType, ...common, manifests: readDescriptors(value, 'manifests', findings) }
  }
  if (isImageManifestMediaType(mediaType)) {
    requireSchemaVersion(value, findings)
    const configValue = member(value, 'config')
    if (configValue === undefined) findings.add('config', 'is missing')
    const config = configValue === undefined ? undefined : readDescriptor(configValue, 'config', findings)
    const layers = readDescriptors(value, 'layers', findings)
    return config === undefined ? undefined : { kind: 'image', mediaType, ...common, config, layers }
  }
  return {
    kind: 'artifact',
    mediaType,
    ...common,
    blobs: Object.hasOwn(value, 'blobs') ? readDescriptors(value, 'blobs', findings) : [],
  }
}

/** "For this version of the specification, this MUST be `2`." */
const requireSchemaVersion = (value: JsonObject, findings: Findings): void => {
  if (member(value, 'schemaVersion') === undefined) findings.add('schemaVersion', 'is missing: it must be 2')
  else {
    const version = requireWholeNumber(value, 'schemaVersion', '', findings)
    if (version !== undefined && version !== 2) findings.add('schemaVersion', `must be 2, got ${version}`)
  }
}

/** The member must be there; `null` is what Go's encoders write for no entries. */
const readDescriptors = (value: JsonObject, key: string, findings: Findings): readonly Descriptor[] => {
  const list = member(value, key)
  if (list === undefined) {
    if (!Object.hasOwn(value, key)) findings.add(key, 'is missing: for no entries it must be []')
    return []
  }
  if (!Array.isArray(list)) {
    findings.add(key, `must be an array of descriptors, got ${shown(list)}`)
    return []
  }
  if (list.length > maxDescriptors) {
    findings.add(key, `has ${list.length} entries: at most ${maxDescriptors} are allowed`)
    return []
  }
  const descriptors: Descriptor[] = []
  for (const [index, item] of (list as unknown[]).entries()) {
    const descriptor = readDescriptor(item, itemPath(key, index), findings)
    if (descriptor !== undefined) descriptors.push(descriptor)
  }
  return descriptors
}
