import { isRepositoryName } from '@stowage/oci'
import { isIP } from 'node:net'

/** Names that rules are made of, as the registry takes them. */
const userName = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/
const groupName = /^[A-Za-z0-9][A-Za-z0-9._@+/-]{0,127}$/

export const isUserName = (text: string): boolean => userName.test(text) && text.toLowerCase() !== 'anonymous'

/** `user:ada`, `group:dev`, `authenticated`, `anonymous`. */
export type Subject =
  | { readonly kind: 'user' | 'group'; readonly name: string }
  | { readonly kind: 'anonymous' | 'authenticated' }

/** @returns undefined when it is no subject of a rule. */
export const parseSubject = (text: string): Subject | undefined => {
  if (text === 'anonymous' || text === 'authenticated') return { kind: text }
  const [, kind, name = ''] = /^(user|group):(.*)$/s.exec(text) ?? []
  if (kind === 'user') return isUserName(name) ? { kind, name } : undefined
  return kind === 'group' && groupName.test(name) ? { kind, name } : undefined
}

export const formatSubject = (subject: Subject): string =>
  'name' in subject ? `${subject.kind}:${subject.name}` : subject.kind

/** A glob that can match the name of a repository: with something in the place of each `*` it is one. */
export const isRepositoryGlob = (text: string): boolean =>
  text.length <= 255 && isRepositoryName(text.replaceAll(/\*+/g, 'x'))

export const isTagGlob = (text: string): boolean => /^[\w*][\w.*-]{0,127}$/.test(text)

/** The two globs of `team/*:v*`. */
export const parseTagGlob = (text: string): { repositories: string; tags: string } | undefined => {
  const colon = text.indexOf(':')
  const [repositories, tags] = [text.slice(0, colon), text.slice(colon + 1)]
  return colon > 0 && isRepositoryGlob(repositories) && isTagGlob(tags) ? { repositories, tags } : undefined
}

/** An address, or a network such as `10.0.0.0/8` and `fd00::/8`. */
export const isNetwork = (text: string): boolean => {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  return version !== 0 && !address.includes('%') && (bits === undefined || Number(bits) <= (version === 4 ? 32 : 128))
}
