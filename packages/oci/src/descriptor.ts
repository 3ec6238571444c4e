import type { Annotations } from './annotations.ts'
import { base64Problem } from './base64.ts'
import { type Digest, digestProblem, isDigest } from './digest.ts'
import {
  checkSpelling,
  isJsonObject,
  member,
  readAnnotations,
  readMediaType,
  readString,
  readStrings,
  requireMediaType,
  requireWholeNumber,
  spellings,
} from './fields.ts'
import { createFindings, type Findings } from './findings.ts'
import { memberPath } from './json-path.ts'
import { type Platform, readPlatform } from './platform.ts'
import { type Result, success, unwrap } from './result.ts'
import { shown } from './shown.ts'

/** What points at content (image-spec, "OCI Content Descriptors"). It is its own JSON. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  /** Where the content may be fetched besides. */
  readonly urls?: readonly string[]
  readonly annotations?: Annotations
  /** The content itself in base64. Its length was checked against `size`; whether it has the digest was not. */
  readonly data?: string
  readonly artifactType?: string
  readonly platform?: Platform
}

const known = spellings(['mediaType', 'digest', 'size', 'urls', 'annotations', 'data', 'artifactType', 'platform'])

/**
 * A descriptor from the value of its JSON. Unknown members are left out.
 *
 * @throws {ParseError} with every problem
 */
export const parseDescriptor = (value: unknown): Descriptor => unwrap('descriptor', safeParseDescriptor(value))

export const safeParseDescriptor = (value: unknown): Result<Descriptor> => {
  const findings = createFindings()
  const descriptor = readDescriptor(value, '', findings)
  return findings.any || descriptor === undefined ? { ok: false, problems: findings.list() } : success(descriptor)
}

export const readDescriptor = (value: unknown, path: string, findings: Findings): Descriptor | undefined => {
  if (!isJsonObject(value)) {
    findings.add(path, `must be a descriptor, an object, got ${shown(value)}`)
    return undefined
  }
  checkSpelling(value, path, known, findings)
  const mediaType = requireMediaType(value, 'mediaType', path, findings)
  const digest = member(value, 'digest')
  if (digest === undefined) findings.add(memberPath(path, 'digest'), 'is missing')
  else if (!isDigest(digest)) findings.add(memberPath(path, 'digest'), digestProblem(digest))
  const size = requireWholeNumber(value, 'size', path, findings)
  const urls = readStrings(value, 'urls', path, findings)
  const annotations = readAnnotations(value, path, findings)
  const data = readString(value, 'data', path, findings)
  if (data !== undefined && size !== undefined) {
    const problem = base64Problem(data, size)
    if (problem !== undefined) findings.add(memberPath(path, 'data'), problem)
  }
  const artifactType = readMediaType(value, 'artifactType', path, findings)
  const platformValue = member(value, 'platform')
  const platform =
    platformValue === undefined ? undefined : readPlatform(platformValue, memberPath(path, 'platform'), findings)
  if (mediaType === undefined || !isDigest(digest) || size === undefined) return undefined
  return {
    mediaType,
    digest,
    size,
    ...(urls === undefined ? {} : { urls }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(data === undefined ? {} : { data }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform === undefined ? {} : { platform }),
  }
}
