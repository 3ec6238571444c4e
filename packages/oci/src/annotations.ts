/** The annotation keys that image-spec v1.1.1 pre-defines. */
export const annotationKeys = {
  /** When the image was built: a date and time by RFC 3339. */
  created: 'org.opencontainers.image.created',
  /** Contact of the people or the organisation responsible. */
  authors: 'org.opencontainers.image.authors',
  /** Where to read more about the image. */
  url: 'org.opencontainers.image.url',
  documentation: 'org.opencontainers.image.documentation',
  /** Where its source code is. */
  source: 'org.opencontainers.image.source',
  /** Version of the packaged software. */
  version: 'org.opencontainers.image.version',
  /** Revision of the source in its version control. */
  revision: 'org.opencontainers.image.revision',
  vendor: 'org.opencontainers.image.vendor',
  /** An SPDX licence expression. */
  licenses: 'org.opencontainers.image.licenses',
  /** Name of the reference for a target; meant for descriptors of `index.json` in an image layout. */
  refName: 'org.opencontainers.image.ref.name',
  title: 'org.opencontainers.image.title',
  description: 'org.opencontainers.image.description',
  /** Digest of the image this one is based on. */
  baseDigest: 'org.opencontainers.image.base.digest',
  /** Reference of the image this one is based on. */
  baseName: 'org.opencontainers.image.base.name',
} as const

export type AnnotationKey = (typeof annotationKeys)[keyof typeof annotationKeys]

export type Annotations = Readonly<Record<string, string>>
