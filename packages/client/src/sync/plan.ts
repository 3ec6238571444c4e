import { isDigest } from '@stowage/oci'
import type { Client } from '../client.ts'
import type { CallOptions } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import { type Location, parseLocation } from '../location.ts'
import { isGlob, toMatcher } from './pattern.ts'
import type { SyncOptions, SyncPair } from './sync-options.ts'

/** One repository, and where it goes. */
export interface PlannedRepository {
  readonly from: string
  readonly to: string
  /** A tag or digest alone; undefined for those that `wanted` lets through. */
  readonly reference: string | undefined
  /** The tag it gets, when it is another. */
  readonly tag: string | undefined
  /** What the text says of tags. */
  readonly wanted: (tag: string) => boolean
}

/** What a sync is told, as pairs. @throws {ClientError} `usage` */
export const pairsOf = ({ from, to }: Pick<SyncOptions, 'from' | 'to'>): readonly SyncPair[] => {
  const pairs = (typeof from === 'string' ? [from] : from).map((item): SyncPair => {
    if (typeof item !== 'string') return item
    if (to === undefined) throw new ClientError('usage', `It is not said where ${item} goes.`)
    return { from: item, to }
  })
  if (pairs.length === 0) throw new ClientError('usage', 'There is nothing to sync: from is empty.')
  return pairs
}

/**
 * The repositories of one pair, as far as they are known without asking for tags.
 *
 * @throws {ClientError} `usage`; what asking for the catalog throws
 */
export async function* planPair(
  { from, to }: SyncPair,
  client: Client,
  call: CallOptions,
): AsyncIterable<PlannedRepository> {
  const source = splitSource(from)
  if (!source.isGlob) {
    const location = parseLocation(source.text)
    const { reference } = location
    const single = source.tagGlob === undefined ? reference : undefined
    const wanted = source.tagGlob === undefined ? () => true : toMatcher(source.tagGlob)
    yield { from: whereIs(location), ...targetOf(to, location, single), reference: single, wanted }
    return
  }
  if (!to.endsWith('/')) {
    throw new ClientError(
      'usage',
      `${JSON.stringify(from)} may be several repositories, and ${JSON.stringify(to)} is one.`,
      {
        hint: `Write ${to}/ to have each below it, under its own name.`,
      },
    )
  }
  const matches = toMatcher(source.repositoryGlob)
  for await (const repository of client.registry(`${source.scheme}${source.registry}`).repositories(call)) {
    if (!matches(repository)) continue
    const location = parseLocation(`${source.scheme}${source.registry}/${repository}`)
    const wanted = source.tagGlob === undefined ? () => true : toMatcher(source.tagGlob)
    yield { from: whereIs(location), ...targetOf(to, location, undefined), reference: undefined, wanted }
  }
}

/** Whether several pairs would go into one repository, which mixes up their tags. */
export const isPrefix = (to: string): boolean => to.endsWith('/')

type SplitSource =
  | { readonly isGlob: false; readonly text: string; readonly tagGlob: string | undefined }
  | {
      readonly isGlob: true
      readonly scheme: string
      readonly registry: string
      readonly repositoryGlob: string
      readonly tagGlob: string | undefined
    }

const splitSource = (text: string): SplitSource => {
  const local = /^(?:ocidir|oci|oci-archive|docker-archive|memory):/.test(text)
  if (local || !isGlob(text)) return { isGlob: false, text, tagGlob: undefined }
  const [, scheme = '', rest = ''] = /^((?:https?|docker):\/\/)?(.*)$/.exec(text) ?? []
  const colon = rest.lastIndexOf(':')
  const hasTag = colon > rest.lastIndexOf('/')
  const tag = hasTag ? rest.slice(colon + 1) : undefined
  const name = hasTag ? rest.slice(0, colon) : rest
  if (!isGlob(name)) return { isGlob: false, text: `${scheme}${name}`, tagGlob: tag }
  const slash = name.indexOf('/')
  const registry = name.slice(0, Math.max(0, slash))
  if (isGlob(registry) || !(/[.:]/.test(registry) || registry === 'localhost')) {
    throw new ClientError('usage', `${JSON.stringify(text)} names no registry to look for repositories in.`, {
      hint: 'Write it in front, as in registry.example/team/*.',
    })
  }
  return {
    isGlob: true,
    scheme: scheme === 'docker://' ? '' : scheme,
    registry,
    repositoryGlob: name.slice(slash + 1),
    tagGlob: tag,
  }
}

const whereIs = (location: Location): string => {
  if (location.scheme !== 'registry') return `${location.scheme}:${location.path}`
  const { plainHttp, registry, repository } = location
  return `${plainHttp === undefined ? '' : plainHttp ? 'http://' : 'https://'}${registry}/${repository}`
}

const targetOf = (to: string, from: Location, reference: string | undefined): Pick<PlannedRepository, 'to' | 'tag'> => {
  if (isPrefix(to)) {
    if (from.scheme === 'registry') return { to: `${to}${from.repository}`, tag: undefined }
    throw new ClientError(
      'usage',
      `${whereIs(from)} has no repository name that could go below ${JSON.stringify(to)}.`,
      {
        hint: 'Write the whole target.',
      },
    )
  }
  const location = parseLocation(to)
  const tag = location.scheme === 'registry' ? location.tag : location.reference
  if (location.reference !== undefined && isDigest(location.reference)) {
    throw new ClientError('usage', `${JSON.stringify(to)} has a digest, which the target of a sync cannot have.`)
  }
  if (tag !== undefined && reference === undefined) {
    throw new ClientError('usage', `${JSON.stringify(to)} has a tag, but what goes there may be several images.`)
  }
  return { to: whereIs(location), tag }
}
