/**
 * What can be written and looked at, each by a name of its own: `blob <repository> <digest>`, `manifest <repository> <digest>`,
 * `tag <repository> <tag>`. Neither of the parts can have a space.
 */
export type ObjectKey = `${ObjectKind} ${string} ${string}`

export type ObjectKind = 'blob' | 'manifest' | 'tag'

export const blobKey = (repository: string, digest: string): ObjectKey => `blob ${repository} ${digest}`

export const manifestKey = (repository: string, digest: string): ObjectKey => `manifest ${repository} ${digest}`

export const tagKey = (repository: string, tag: string): ObjectKey => `tag ${repository} ${tag}`

export const partsOf = (
  key: ObjectKey,
): { readonly kind: ObjectKind; readonly repository: string; readonly name: string } => {
  const [kind, repository, name] = key.split(' ')
  // The type says that there are three.
  return { kind: kind as ObjectKind, repository: repository ?? '', name: name ?? '' }
}

/** What a tag holds is a digest, what a blob or manifest is, one of these two. */
export const present = 'present'
export const absent = 'absent'
