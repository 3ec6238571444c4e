import {
  checkSpelling,
  isJsonObject,
  type JsonObject,
  readString,
  readStrings,
  requireString,
  spellings,
} from './fields.ts'
import type { Findings } from './findings.ts'
import { shown } from './shown.ts'

/** What an image runs on (image-spec, image index, `platform`). The names are those of the JSON. */
export interface Platform {
  /** As Go's GOARCH: `amd64`, `arm64`. */
  readonly architecture: string
  /** As Go's GOOS: `linux`, `windows`. */
  readonly os: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  /** Of the processor: `v7` of `arm`. */
  readonly variant?: string
}

const known = spellings(['architecture', 'os', 'os.version', 'os.features', 'variant'])

/** The strings may be empty: Go's tools write them so for what runs anywhere. */
export const readPlatform = (value: unknown, path: string, findings: Findings): Platform | undefined => {
  if (!isJsonObject(value)) {
    findings.add(path, `must be an object, got ${shown(value)}`)
    return undefined
  }
  checkSpelling(value, path, known, findings)
  return readPlatformFields(value, path, findings)
}

export const readPlatformFields = (object: JsonObject, path: string, findings: Findings): Platform | undefined => {
  const architecture = requireString(object, 'architecture', path, findings)
  const os = requireString(object, 'os', path, findings)
  const version = readString(object, 'os.version', path, findings)
  const features = readStrings(object, 'os.features', path, findings)
  const variant = readString(object, 'variant', path, findings)
  if (architecture === undefined || os === undefined) return undefined
  return {
    architecture,
    os,
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': features }),
    ...(variant === undefined ? {} : { variant }),
  }
}
