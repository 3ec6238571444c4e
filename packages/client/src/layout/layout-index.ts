import { annotationKeys, type Annotations, type Descriptor, mediaTypes, safeParseDescriptor } from '@stowage/oci'
import { ClientError } from '../errors.ts'
import { isLayoutName } from './layout-names.ts'

export type Json = Readonly<Record<string, unknown>>

/** One descriptor of `index.json`. */
export interface LayoutEntry {
  readonly descriptor: Descriptor
  /** Its names, the one that lists show first. */
  readonly names: readonly string[]
  /** Its JSON as it stands, so that a change keeps what other programs wrote there. */
  readonly json: Json
}

/** The content of `index.json`. It is never changed: changes give another one. */
export interface LayoutIndex {
  readonly entries: readonly LayoutEntry[]
  /** What else is in the document. */
  readonly json: Json
}

/** Most bytes of an `index.json` that are read: some 60 000 entries. */
export const maxIndexSize = 16 * 1024 * 1024

/** Where Docker and containerd write the full name; `ref.name` is only the tag there, and may stand at several images. */
export const imageNameKey = 'io.containerd.image.name'

/** The annotations that hold names, the one that lists show first. */
export const nameKeys: readonly string[] = [annotationKeys.refName, imageNameKey]

export const emptyIndex: LayoutIndex = {
  entries: [],
  json: { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex },
}

/** @throws {ClientError} `invalid-content` naming the member */
export const parseLayoutIndex = (bytes: Uint8Array, subject: string): LayoutIndex => {
  const value = parseJson(bytes, `index.json of ${subject}`)
  if (!isObject(value)) throw invalid(subject, 'is not an object')
  const { manifests, ...json } = value
  if (!Array.isArray(manifests)) throw invalid(subject, 'has no list "manifests"')
  const entries = (manifests as unknown[]).map((item, at) => {
    const parsed = safeParseDescriptor(item)
    if (parsed.ok) return toEntry(parsed.value, item as Json)
    const [problem] = parsed.problems
    throw invalid(subject, `has a wrong entry: manifests[${at}].${problem?.path ?? ''} ${problem?.message ?? ''}`)
  })
  return { entries, json }
}

export const formatLayoutIndex = ({ entries, json }: LayoutIndex): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ ...json, manifests: entries.map((entry) => entry.json) }))

/** The value of a JSON text. @throws {ClientError} `invalid-content` */
export const parseJson = (bytes: Uint8Array, what: string): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch (error) {
    throw new ClientError('invalid-content', `${what} is not JSON in UTF-8.`, { subject: what, cause: error })
  }
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalid = (subject: string, problem: string): ClientError =>
  new ClientError('invalid-content', `index.json of ${subject} ${problem}.`, { subject })

const toEntry = (descriptor: Descriptor, json: Json): LayoutEntry => ({
  descriptor,
  names: nameKeys.flatMap((key) => {
    const name = descriptor.annotations?.[key]
    return name !== undefined && isLayoutName(name) ? [name] : []
  }),
  json,
})

/** What a descriptor says of the content itself: annotations and the like belong to where it stood. */
export const plainDescriptor = ({ mediaType, digest, size, artifactType, platform }: Descriptor): Descriptor => ({
  mediaType,
  digest,
  size,
  ...(artifactType === undefined ? {} : { artifactType }),
  ...(platform === undefined ? {} : { platform }),
})

export const newEntry = (of: Descriptor): LayoutEntry => {
  const descriptor = plainDescriptor(of)
  return toEntry(descriptor, { ...descriptor })
}

/** The entry with these annotations and no others. */
export const withAnnotations = (entry: LayoutEntry, annotations: Annotations): LayoutEntry => {
  const { annotations: _, ...json } = entry.json
  const { annotations: __, ...descriptor } = entry.descriptor
  if (Object.keys(annotations).length === 0) return toEntry(descriptor, json)
  return toEntry({ ...descriptor, annotations }, { ...json, annotations })
}
