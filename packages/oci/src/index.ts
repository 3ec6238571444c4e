export { type AnnotationKey, annotationKeys, type Annotations } from './annotations.ts'
export { type Descriptor, parseDescriptor, safeParseDescriptor } from './descriptor.ts'
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestAlgorithms,
  digestEncoded,
  isDigest,
  isDigestAlgorithm,
  parseDigest,
  safeParseDigest,
} from './digest.ts'
export { createDigester, type Digester, digestOf, type Hasher, type HashFactory, webDigest } from './digester.ts'
export { type ErrorBody, type ErrorCode, errorCodes, type ErrorInfo, isErrorCode, parseErrorBody } from './errors.ts'
export {
  type HistoryEntry,
  type ImageConfig,
  parseImageConfig,
  type RootFs,
  safeParseImageConfig,
} from './image-config.ts'
export type { ContainerConfig, EmptyObject, Healthcheck } from './image-container-config.ts'
export { type ImageLayout, imageLayout, parseImageLayout, safeParseImageLayout } from './image-layout.ts'
export {
  type ArtifactManifest,
  type ImageManifest,
  type Index,
  type Manifest,
  parseManifest,
  parseManifestValue,
  safeParseManifest,
  safeParseManifestValue,
} from './manifest.ts'
export {
  effectiveArtifactType,
  type ManifestReference,
  type ManifestReferenceRole,
  manifestReferences,
} from './manifest-references.ts'
export {
  type ArtifactManifestMediaType,
  type ImageManifestMediaType,
  type IndexMediaType,
  isImageManifestMediaType,
  isIndexMediaType,
  isManifestMediaType,
  isMediaType,
  isNonDistributableLayer,
  type ManifestMediaType,
  manifestMediaTypes,
  mediaTypes,
  mediaTypeWithoutParameters,
} from './media-types.ts'
export {
  isRepositoryName,
  isTag,
  parseRepositoryName,
  parseTag,
  safeParseRepositoryName,
  safeParseTag,
} from './names.ts'
export type { Platform } from './platform.ts'
export {
  formatReference,
  parseReference,
  type Reference,
  type ReferenceOptions,
  type ReferenceRules,
  safeParseReference,
} from './reference.ts'
export { referrersTag } from './referrers-tag.ts'
export { ParseError, type Problem, type Result } from './result.ts'
