import { type Digest, safeParseDigest } from './digest.ts'
import { hostProblem } from './host.ts'
import { safeParseRepositoryName, safeParseTag } from './names.ts'
import { failure, type Problem, type Result, success, unwrap } from './result.ts'
import { shown } from './shown.ts'

/** What names a manifest to a person: `registry/repository:tag@digest`. */
export interface Reference {
  /** Host and port, as in `ghcr.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry?: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/**
 * `docker` (the default) reads as Docker does: `alpine` is `docker.io/library/alpine`, and a registry is always there.
 *
 * `oci` adds and changes nothing: without a host in the text there is no `registry`, because the caller knows it.
 *
 * Both take the first component for a host when a slash follows and it is `localhost`, has a `.`, a `:` or an upper-case
 * letter. A repository whose first component has a dot therefore needs its host in front. Neither adds a tag.
 */
export type ReferenceRules = 'docker' | 'oci'

export interface ReferenceOptions {
  readonly rules?: ReferenceRules
}

const defaultRegistry = 'docker.io'
const legacyRegistry = 'index.docker.io'
const officialNamespace = 'library/'

/** @throws {ParseError} with `path` saying which part is wrong: `registry`, `repository`, `tag`, `digest` */
export const parseReference = (text: string, options: ReferenceOptions = {}): Reference =>
  unwrap('reference', safeParseReference(text, options))

export const safeParseReference = (text: string, options: ReferenceOptions = {}): Result<Reference> => {
  const rules = options.rules ?? 'docker'
  if (typeof text !== 'string') return failure(`must be a string, got ${shown(text)}`)
  if (text === '') return failure('is empty')
  const { host, rest } = splitHost(text)
  const { name, tag, digest } = splitName(rest)
  const { registry, repository } = rules === 'docker' ? dockerName(host, name) : { registry: host, repository: name }

  const problems: Problem[] = []
  if (registry !== undefined) {
    const problem = hostProblem(registry)
    if (problem !== undefined) problems.push({ path: 'registry', message: problem })
  }
  const report = (path: string, result: Result<string>): void => {
    if (!result.ok) for (const problem of result.problems) problems.push({ path, message: problem.message })
  }
  if (name === '') problems.push({ path: 'repository', message: 'is empty' })
  else report('repository', safeParseRepositoryName(repository))
  // Docker takes 64 hex digits for the id of an image, so they name no repository there.
  if (rules === 'docker' && /^[a-f0-9]{64}$/.test(text)) {
    problems.push({ path: 'repository', message: 'is 64 hex digits: Docker takes that for the id of an image' })
  }
  if (tag !== undefined) report('tag', safeParseTag(tag))
  const parsedDigest = digest === undefined ? undefined : safeParseDigest(digest)
  if (parsedDigest !== undefined) report('digest', parsedDigest)
  if (problems.length > 0) return { ok: false, problems }
  return success({
    ...(registry === undefined ? {} : { registry }),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(parsedDigest?.ok === true ? { digest: parsedDigest.value } : {}),
  })
}

/** The text that reads back as the same reference. */
export const formatReference = ({ registry, repository, tag, digest }: Reference): string =>
  (registry === undefined ? '' : `${registry}/`) +
  repository +
  (tag === undefined ? '' : `:${tag}`) +
  (digest === undefined ? '' : `@${digest}`)

const splitHost = (text: string): { host: string | undefined; rest: string } => {
  const slash = text.indexOf('/')
  if (slash === -1) return { host: undefined, rest: text }
  const first = text.slice(0, slash)
  // A digest or a tag may hold no slash, so what is before the first one is all of a component.
  return first === 'localhost' || /[.:A-Z[\]]/.test(first)
    ? { host: first, rest: text.slice(slash + 1) }
    : { host: undefined, rest: text }
}

const splitName = (rest: string): { name: string; tag: string | undefined; digest: string | undefined } => {
  const at = rest.indexOf('@')
  const beforeDigest = at === -1 ? rest : rest.slice(0, at)
  const digest = at === -1 ? undefined : rest.slice(at + 1)
  const colon = beforeDigest.indexOf(':')
  if (colon === -1) return { name: beforeDigest, tag: undefined, digest }
  return { name: beforeDigest.slice(0, colon), tag: beforeDigest.slice(colon + 1), digest }
}

const dockerName = (host: string | undefined, name: string): { registry: string; repository: string } => {
  const registry = host === undefined || host === legacyRegistry ? defaultRegistry : host
  const official = registry === defaultRegistry && !name.includes('/')
  return { registry, repository: official ? officialNamespace + name : name }
}
