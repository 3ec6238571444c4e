import { type Digest, digestProblem, isDigest } from './digest.ts'
import { compact, isJsonObject, type JsonObject, member, readBoolean, readString, requireString } from './fields.ts'
import { createFindings, type Findings } from './findings.ts'
import { type ContainerConfig, readContainerConfig } from './image-container-config.ts'
import { readJsonDocument } from './json-document.ts'
import { itemPath } from './json-path.ts'
import { type Platform, readPlatformFields } from './platform.ts'
import { type Result, success, unwrap } from './result.ts'
import { shown } from './shown.ts'

/**
 * The config of an image (image-spec, "OCI Image Configuration"), and of Docker's images, which have more. The names are
 * those of the JSON.
 */
export interface ImageConfig extends Platform {
  /** A date and time by RFC 3339. */
  readonly created?: string
  readonly author?: string
  readonly config?: ContainerConfig
  readonly rootfs: RootFs
  readonly history?: readonly HistoryEntry[]
  /** Docker's: its version, the container the image was made from, and how that ran. */
  readonly docker_version?: string
  readonly container?: string
  readonly container_config?: ContainerConfig
  readonly comment?: string
  readonly id?: string
  readonly parent?: string
}

export interface RootFs {
  readonly type: string
  /** Digests of the layers before compression, from the bottom up. */
  readonly diff_ids: readonly Digest[]
}

export interface HistoryEntry {
  /** A date and time by RFC 3339. */
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  /** Whether the step made no layer. */
  readonly empty_layer?: boolean
}

/**
 * An image config from its bytes. Unknown members are left out.
 *
 * @throws {ParseError} with every problem and its path
 */
export const parseImageConfig = (bytes: Uint8Array): ImageConfig => unwrap('image config', safeParseImageConfig(bytes))

export const safeParseImageConfig = (bytes: Uint8Array): Result<ImageConfig> => {
  const findings = createFindings()
  const value = readJsonDocument(bytes, findings)
  if (value === undefined) return { ok: false, problems: findings.list() }
  if (!isJsonObject(value)) {
    findings.add('', `must be an object, got ${shown(value)}`)
    return { ok: false, problems: findings.list() }
  }
  const config = readImageConfig(value, findings)
  return findings.any || config === undefined ? { ok: false, problems: findings.list() } : success(config)
}

const readImageConfig = (value: JsonObject, findings: Findings): ImageConfig | undefined => {
  const text = (key: string): string | undefined => readString(value, key, '', findings)
  const platform = readPlatformFields(value, '', findings)
  const rootfs = readRootFs(member(value, 'rootfs'), findings)
  const optional = compact({
    created: text('created'),
    author: text('author'),
    config: readContainerConfig(value, 'config', findings),
    history: readHistory(value, findings),
    docker_version: text('docker_version'),
    container: text('container'),
    container_config: readContainerConfig(value, 'container_config', findings),
    comment: text('comment'),
    id: text('id'),
    parent: text('parent'),
  })
  return platform === undefined || rootfs === undefined ? undefined : { ...platform, ...optional, rootfs }
}

const readRootFs = (value: unknown, findings: Findings): RootFs | undefined => {
  if (!isJsonObject(value)) {
    findings.add('rootfs', value === undefined ? 'is missing' : `must be an object, got ${shown(value)}`)
    return undefined
  }
  const type = requireString(value, 'type', 'rootfs', findings)
  // "type … MUST be set to the value `layers`"
  if (type !== undefined && type !== 'layers') findings.add('rootfs.type', `must be "layers", got ${shown(type)}`)
  // An image without layers: Docker leaves the list out, Go's encoders write null.
  const list = member(value, 'diff_ids') ?? []
  if (!Array.isArray(list)) {
    findings.add('rootfs.diff_ids', `must be an array of digests, got ${shown(list)}`)
    return undefined
  }
  const diffIds: Digest[] = []
  for (const [index, item] of (list as unknown[]).entries()) {
    if (isDigest(item)) diffIds.push(item)
    else findings.add(itemPath('rootfs.diff_ids', index), digestProblem(item))
  }
  return type === undefined ? undefined : { type, diff_ids: diffIds }
}

const readHistory = (value: JsonObject, findings: Findings): HistoryEntry[] | undefined => {
  const list = member(value, 'history')
  if (list === undefined) return undefined
  if (!Array.isArray(list)) {
    findings.add('history', `must be an array, got ${shown(list)}`)
    return undefined
  }
  const entries: HistoryEntry[] = []
  for (const [index, item] of (list as unknown[]).entries()) {
    const path = itemPath('history', index)
    if (!isJsonObject(item)) {
      findings.add(path, `must be an object, got ${shown(item)}`)
      continue
    }
    entries.push(
      compact({
        created: readString(item, 'created', path, findings),
        created_by: readString(item, 'created_by', path, findings),
        author: readString(item, 'author', path, findings),
        comment: readString(item, 'comment', path, findings),
        empty_layer: readBoolean(item, 'empty_layer', path, findings),
      }),
    )
  }
  return entries
}
