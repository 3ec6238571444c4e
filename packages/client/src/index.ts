export {
  type Client,
  type ClientCopyOptions,
  type ClientOptions,
  createClient,
  type LocatedSource,
  type LocatedTarget,
  type OpenLocal,
} from './client.ts'
export { blobContent, bytesContent, type Content, type ContentLike, toContent } from './content/content.ts'
export { collect, type Page, type Pages } from './content/pages.ts'
export type {
  BlobOutcome,
  CallOptions,
  ManifestContent,
  PutBlobOptions,
  PutManifestOptions,
  ReferrersOptions,
  ResolveOptions,
  Source,
  TagsOptions,
  Target,
} from './content/ports.ts'
export { maxManifestSize, readAll, verified, type VerifyOptions } from './content/verify.ts'
export { copy } from './copy/copy.ts'
export type { CopyEvent, CopyOutcome, CopyRole } from './copy/events.ts'
export type { CopyJob, CopyOptions, CopyResult, CopySource, CopyTarget } from './copy/options.ts'
export { type Credential, type CredentialRequest, type CredentialSource, firstOf } from './credentials/credential.ts'
export { ClientError, type ClientErrorCode, type ClientErrorFacts, isClientError, isNotFound } from './errors.ts'
export { defaultHash, javascriptHash } from './hash.ts'
export {
  formatLocation,
  type LocalLocation,
  type LocalScheme,
  type Location,
  parseLocation,
  type RegistryLocation,
} from './location.ts'
export { createMemoryTarget } from './memory/memory-target.ts'
export {
  openDescriptor,
  type OpenedArtifact,
  type OpenedImage,
  type OpenedIndex,
  type OpenedManifest,
  openManifest,
} from './opened.ts'
export { describePlatform, matchesPlatform, parsePlatform } from './platform.ts'
export type { RegistryClient, RepositoriesOptions } from './registry/registry.ts'
export type { Repository } from './registry/repository.ts'
export type { CommitOptions, Upload } from './registry/upload.ts'
export type { WriteOptions } from './registry/upload-writing.ts'
export { type Challenge, parseChallenges } from './transport/challenge.ts'
export type { Answer } from './transport/answer.ts'
export type { Fetch, FetchAnswer, FetchInit } from './transport/fetch.ts'
export type { HostOptions, Hosts } from './transport/hosts.ts'
export type { Call, Method, TraceEvent } from './transport/call.ts'
export type { Transport } from './transport/transport.ts'
export type { RegistryWarning } from './transport/warnings.ts'
export { version } from './version.ts'
export {
  type ArtifactConfig,
  type ArtifactContent,
  type ArtifactOptions,
  packArtifact,
  type PackedArtifact,
  type PackOptions,
} from './artifact/pack-artifact.ts'
export {
  pullArtifact,
  type PullArtifactOptions,
  type PulledArtifact,
  type PulledFile,
} from './artifact/pull-artifact.ts'
export { attach, pushArtifact, type PushArtifactOptions } from './artifact/push-artifact.ts'
export { discover, type DiscoverOptions, type ReferrerTree } from './copy/discover.ts'
export { createTargetKnowledge, type KnowledgeOptions, type TargetKnowledge } from './copy/knowledge.ts'
export type { Finding, FindingCode, FindingRole } from './inspect/finding.ts'
export {
  type ImageUsage,
  type PlatformUsage,
  type Usage,
  usage,
  type UsageBytes,
  type UsageOptions,
  type UsageRequest,
} from './inspect/usage.ts'
export { validate, type ValidateOptions } from './inspect/validate.ts'
export type { Pattern, Patterns } from './sync/pattern.ts'
export type {
  SyncClients,
  SyncedImage,
  SyncEvent,
  SyncImage,
  SyncJob,
  SyncOptions,
  SyncOutcome,
  SyncPair,
  SyncResult,
} from './sync/sync-options.ts'
export { sync } from './sync/sync.ts'
