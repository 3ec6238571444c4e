import {
  compact,
  isJsonObject,
  type JsonObject,
  member,
  readBoolean,
  readString,
  readStringMap,
  readStrings,
} from './fields.ts'
import type { Findings } from './findings.ts'
import { memberPath } from './json-path.ts'
import { shown } from './shown.ts'

/** How a container of the image runs (image-spec, image config, `config`). The names are those of the JSON. */
export interface ContainerConfig {
  readonly User?: string
  /** As `8080/tcp`; the values are empty objects. */
  readonly ExposedPorts?: Readonly<Record<string, EmptyObject>>
  /** As `NAME=value`. */
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Volumes?: Readonly<Record<string, EmptyObject>>
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  /** Windows only, and deprecated. */
  readonly ArgsEscaped?: boolean
  /** Docker's. */
  readonly Healthcheck?: Healthcheck
  /** Docker's: steps for images built on this one. */
  readonly OnBuild?: readonly string[]
  /** Docker's: what runs the shell form of commands. */
  readonly Shell?: readonly string[]
  /** Docker's. */
  readonly Hostname?: string
  /** Docker's. */
  readonly Domainname?: string
  /** Docker's: the image it was built on. */
  readonly Image?: string
}

export type EmptyObject = Readonly<Record<string, never>>

export interface Healthcheck {
  readonly Test?: readonly string[]
  /** Nanoseconds, as the next three. */
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
  readonly Retries?: number
}

export const readContainerConfig = (
  parent: JsonObject,
  key: string,
  findings: Findings,
): ContainerConfig | undefined => {
  const object = readObject(parent, key, '', findings)
  if (object === undefined) return undefined
  const path = memberPath('', key)
  const text = (name: string): string | undefined => readString(object, name, path, findings)
  const texts = (name: string): string[] | undefined => readStrings(object, name, path, findings)
  return compact({
    User: text('User'),
    ExposedPorts: readNames(object, 'ExposedPorts', path, findings),
    Env: texts('Env'),
    Entrypoint: texts('Entrypoint'),
    Cmd: texts('Cmd'),
    Volumes: readNames(object, 'Volumes', path, findings),
    WorkingDir: text('WorkingDir'),
    Labels: readStringMap(object, 'Labels', path, findings),
    StopSignal: text('StopSignal'),
    ArgsEscaped: readBoolean(object, 'ArgsEscaped', path, findings),
    Healthcheck: readHealthcheck(object, path, findings),
    OnBuild: texts('OnBuild'),
    Shell: texts('Shell'),
    Hostname: text('Hostname'),
    Domainname: text('Domainname'),
    Image: text('Image'),
  })
}

const readHealthcheck = (parent: JsonObject, parentPath: string, findings: Findings): Healthcheck | undefined => {
  const object = readObject(parent, 'Healthcheck', parentPath, findings)
  if (object === undefined) return undefined
  const path = memberPath(parentPath, 'Healthcheck')
  const number = (name: string): number | undefined => {
    const value = member(object, name)
    if (value === undefined || (typeof value === 'number' && Number.isInteger(value))) return value
    findings.add(memberPath(path, name), `must be a whole number, got ${shown(value)}`)
    return undefined
  }
  return compact({
    Test: readStrings(object, 'Test', path, findings),
    Interval: number('Interval'),
    Timeout: number('Timeout'),
    StartPeriod: number('StartPeriod'),
    StartInterval: number('StartInterval'),
    Retries: number('Retries'),
  })
}

const readObject = (parent: JsonObject, key: string, path: string, findings: Findings): JsonObject | undefined => {
  const value = member(parent, key)
  if (value === undefined || isJsonObject(value)) return value
  findings.add(memberPath(path, key), `must be an object, got ${shown(value)}`)
  return undefined
}

/** A set of names, which Go writes as an object of empty objects. */
const readNames = (
  parent: JsonObject,
  key: string,
  path: string,
  findings: Findings,
): Readonly<Record<string, EmptyObject>> | undefined => {
  const object = readObject(parent, key, path, findings)
  return object === undefined ? undefined : Object.fromEntries(Object.keys(object).map((name) => [name, {}]))
}
