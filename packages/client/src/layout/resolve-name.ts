import type { Descriptor, Digest } from '@stowage/oci'
import { ClientError } from '../errors.ts'
import { type LayoutEntry, type LayoutIndex, plainDescriptor } from './layout-index.ts'
import { findNamed } from './layout-names.ts'

/** A tag made of a digest: what clients hang signatures and referrers on. It is no image of its own. */
export const digestTag = /^sha(?:256|384|512)-[0-9a-f]{64}/

/**
 * The manifest that a name means in a layout. `findNamed` has the rules; when they find nothing, `latest`, and an empty name
 * even before other names, mean the only manifest of the layout:
 *
 * - an empty name means `latest` if something has that name, else the only manifest with a name, else the only one without;
 * - `latest` means the only manifest without a name, if none has a name.
 *
 * Referrers and what digest tags name are not counted: they belong to another manifest.
 *
 * @throws {ClientError} `not-found`; `usage` when the name means several
 */
export const resolveName = async (
  { entries }: LayoutIndex,
  name: string,
  subject: string,
  isReferrer: (descriptor: Descriptor) => Promise<boolean>,
): Promise<Descriptor> => {
  const found = findNamed(entries, name === '' ? 'latest' : name)
  if (found.length > 0) return only(found, name, subject)
  const named = entries.filter(({ names }) => names.some((one) => !digestTag.test(one)))
  if (name === '' && named.length > 0) return only(named, name, subject)
  if ((name === '' || name === 'latest') && named.length === 0) {
    const unnamed: LayoutEntry[] = []
    for (const entry of entries) {
      if (entry.names.length === 0 && !(await isReferrer(entry.descriptor))) unnamed.push(entry)
    }
    if (unnamed.length > 0) return only(unnamed, name, subject)
  }
  const names = named.flatMap((entry) => entry.names.slice(0, 1))
  throw new ClientError('not-found', `${subject} has ${name === '' ? 'no manifest' : `no "${name}"`}.`, {
    subject: name === '' ? subject : `${subject}:${name}`,
    ...(names.length === 0 ? {} : { hint: `It has ${listed(names)}.` }),
  })
}

/** @throws {ClientError} `usage` when the entries are of several manifests */
export const only = (entries: readonly LayoutEntry[], name: string, subject: string): Descriptor => {
  const byDigest = new Map<Digest, LayoutEntry>()
  for (const entry of entries) byDigest.set(entry.descriptor.digest, byDigest.get(entry.descriptor.digest) ?? entry)
  const [first] = byDigest.values()
  if (first === undefined || byDigest.size > 1) {
    const names = [...byDigest.values()].map((entry) => entry.names.at(-1) ?? `@${entry.descriptor.digest}`)
    throw new ClientError('usage', `${name === '' ? 'No name' : `"${name}"`} means several manifests of ${subject}.`, {
      subject,
      hint: `Name one of them: ${listed(names)}.`,
    })
  }
  return plainDescriptor(first.descriptor)
}

const listed = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')

/** The names of everything. Where several manifests share a tag, their full names, as long as they have some. */
export const namesOf = ({ entries }: LayoutIndex): readonly string[] => {
  const owners = new Map<string, Set<Digest>>()
  for (const { names, descriptor } of entries) {
    for (const name of names) owners.set(name, (owners.get(name) ?? new Set()).add(descriptor.digest))
  }
  const names = entries.flatMap(
    (entry) => entry.names.find((name) => owners.get(name)?.size === 1) ?? entry.names.slice(0, 1),
  )
  return [...new Set(names)].toSorted((one, other) => (one < other ? -1 : 1))
}
