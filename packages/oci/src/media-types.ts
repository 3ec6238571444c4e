/** The media types of OCI image-spec v1.1.1 and of Docker's image format, schema 2. */
export const mediaTypes = {
  ociDescriptor: 'application/vnd.oci.descriptor.v1+json',
  ociLayoutHeader: 'application/vnd.oci.layout.header.v1+json',
  ociImageManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociImageIndex: 'application/vnd.oci.image.index.v1+json',
  /** Of the release candidates of image-spec 1.1; withdrawn before the release, still found in registries. */
  ociArtifactManifest: 'application/vnd.oci.artifact.manifest.v1+json',
  ociImageConfig: 'application/vnd.oci.image.config.v1+json',
  /** A blob that nobody reads: the two bytes `{}`. */
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociLayerNonDistributable: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociLayerNonDistributableGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ociLayerNonDistributableZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerImageConfig: 'application/vnd.docker.container.image.v1+json',
  dockerPluginConfig: 'application/vnd.docker.plugin.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const

export type ImageManifestMediaType = typeof mediaTypes.ociImageManifest | typeof mediaTypes.dockerManifest
export type IndexMediaType = typeof mediaTypes.ociImageIndex | typeof mediaTypes.dockerManifestList
export type ArtifactManifestMediaType = typeof mediaTypes.ociArtifactManifest
export type ManifestMediaType = ImageManifestMediaType | IndexMediaType | ArtifactManifestMediaType

export const manifestMediaTypes: readonly ManifestMediaType[] = [
  mediaTypes.ociImageManifest,
  mediaTypes.ociImageIndex,
  mediaTypes.ociArtifactManifest,
  mediaTypes.dockerManifest,
  mediaTypes.dockerManifestList,
]

/** An image manifest, OCI's or Docker's. */
export const isImageManifestMediaType = (mediaType: string): mediaType is ImageManifestMediaType =>
  mediaType === mediaTypes.ociImageManifest || mediaType === mediaTypes.dockerManifest

/** An OCI image index or a Docker manifest list. */
export const isIndexMediaType = (mediaType: string): mediaType is IndexMediaType =>
  mediaType === mediaTypes.ociImageIndex || mediaType === mediaTypes.dockerManifestList

/** Anything that `parseManifest` parses. */
export const isManifestMediaType = (mediaType: string): mediaType is ManifestMediaType =>
  isImageManifestMediaType(mediaType) || isIndexMediaType(mediaType) || mediaType === mediaTypes.ociArtifactManifest

const nonDistributableLayers: ReadonlySet<string> = new Set([
  mediaTypes.ociLayerNonDistributable,
  mediaTypes.ociLayerNonDistributableGzip,
  mediaTypes.ociLayerNonDistributableZstd,
  mediaTypes.dockerForeignLayer,
  mediaTypes.dockerForeignLayerGzip,
])

/** Layers that may be fetched from their `urls` only, so that a registry need not hold them. */
export const isNonDistributableLayer = (mediaType: string): boolean => nonDistributableLayers.has(mediaType)

/** What RFC 6838 section 4.2 lets a name consist of: 1 may stand first, 2 only later. */
const nameCharacters = new Uint8Array(128)
for (const character of '!#$&-^_.+') nameCharacters[character.charCodeAt(0)] = 2
for (let code = 0; code < 128; code++) if (/[A-Za-z0-9]/.test(String.fromCharCode(code))) nameCharacters[code] = 1

const isRestrictedName = (text: string, from: number, to: number): boolean => {
  if (to - from < 1 || to - from > 127) return false
  if (nameCharacters[text.charCodeAt(from)] !== 1) return false
  for (let at = from + 1; at < to; at++) if ((nameCharacters[text.charCodeAt(at)] ?? 0) === 0) return false
  return true
}

/** A `type/subtype` by RFC 6838 section 4.2, each of 1 to 127 characters, without parameters. */
export const isMediaType = (text: unknown): text is string => {
  if (typeof text !== 'string' || text.length > 255) return false
  const slash = text.indexOf('/')
  return slash > 0 && isRestrictedName(text, 0, slash) && isRestrictedName(text, slash + 1, text.length)
}

/** The media type of a `Content-Type` header: parameters and white space gone, in lower case (media types ignore case). */
export const mediaTypeWithoutParameters = (text: string): string => {
  const semicolon = text.indexOf(';')
  return (semicolon === -1 ? text : text.slice(0, semicolon)).trim().toLowerCase()
}
