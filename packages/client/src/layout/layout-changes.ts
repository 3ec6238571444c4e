import { annotationKeys, type Descriptor, type Digest } from '@stowage/oci'
import { type LayoutEntry, type LayoutIndex, nameKeys, newEntry, withAnnotations } from './layout-index.ts'
import { findNamed, isSameName, tagOfName } from './layout-names.ts'

export const isListed = ({ entries }: LayoutIndex, digest: Digest): boolean =>
  entries.some((entry) => entry.descriptor.digest === digest)

/** Lists a manifest without a name, unless it is listed. */
export const listManifest = (index: LayoutIndex, descriptor: Descriptor): LayoutIndex =>
  isListed(index, descriptor.digest) ? index : { ...index, entries: [...index.entries, newEntry(descriptor)] }

export const unlistManifest = (index: LayoutIndex, digest: Digest): LayoutIndex => ({
  ...index,
  entries: index.entries.filter(({ descriptor }) => descriptor.digest !== digest),
})

/**
 * Names a manifest, and takes the name from what had it. That is then no longer listed, as after a copy by skopeo or podman,
 * unless it has another name or `stays` says so.
 */
export const nameManifest = (
  index: LayoutIndex,
  descriptor: Descriptor,
  name: string,
  stays: (digest: Digest) => boolean,
): LayoutIndex => {
  const isOwn = (entry: LayoutEntry): boolean => entry.descriptor.digest === descriptor.digest
  const hasName = ({ names }: LayoutEntry): boolean => names.some((other) => isSameName(name, other))
  const entries = index.entries.flatMap((entry) => {
    if (isOwn(entry) || !hasName(entry)) return [entry]
    const rest = withoutName(entry, name)
    return rest.names.length > 0 || stays(entry.descriptor.digest) ? [rest] : []
  })
  if (entries.some((entry) => isOwn(entry) && hasName(entry))) return { ...index, entries }
  const unnamed = entries.find((entry) => isOwn(entry) && entry.names.length === 0)
  const added = named(unnamed ?? newEntry(descriptor), name)
  return {
    ...index,
    entries: unnamed === undefined ? [...entries, added] : entries.map((entry) => (entry === unnamed ? added : entry)),
  }
}

/**
 * Takes a name away and nothing else: the manifest stays listed without one, so that programs that clean layouts up by what
 * `index.json` lists keep it.
 */
export const unnameManifest = (index: LayoutIndex, name: string): LayoutIndex => {
  let { entries } = index
  for (const entry of findNamed(index.entries, name)) {
    const rest = withoutName(entry, name)
    const others = entries.filter((other) => other !== entry)
    const again = others.some(({ descriptor }) => descriptor.digest === entry.descriptor.digest)
    entries = rest.names.length === 0 && again ? others : entries.map((other) => (other === entry ? rest : other))
  }
  return { ...index, entries }
}

const named = (entry: LayoutEntry, name: string): LayoutEntry =>
  withAnnotations(entry, { ...entry.descriptor.annotations, [annotationKeys.refName]: name })

/** Docker's entries say one name twice, as `v1` and as `docker.io/library/app:v1`: both go, or the other would still be found. */
const withoutName = (entry: LayoutEntry, name: string): LayoutEntry => {
  const tag = tagOfName(name)
  const isGone = (other: string): boolean => isSameName(name, other) || (tag !== undefined && tagOfName(other) === tag)
  const kept = Object.entries(entry.descriptor.annotations ?? {}).filter(
    ([key, value]) => !nameKeys.includes(key) || !isGone(value),
  )
  return withAnnotations(entry, Object.fromEntries(kept))
}
