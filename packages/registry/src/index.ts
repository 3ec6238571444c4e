export type { AccessControl, Login, Purpose, RequestInfo, Resource, Verdict } from './access/access.ts'
export type { Action, Grant, Quota, RepositoryFilter } from './access/grant.ts'
export { type Permission, type PermissionAction, permissionActions } from './access/permission.ts'
export type { ImmutableTags, Policies, QuotaRule } from './access/policies.ts'
export { anonymous, type Principal, type Within } from './access/principal.ts'
export type { Decision, Rule, RuleSubject } from './access/rules.ts'
export { AccountError, type AccountErrorCode } from './accounts/account-error.ts'
export type { AccountOptions, TokenServer } from './accounts/account-options.ts'
export type {
  Accounts,
  Explanation,
  Issuer,
  Key,
  NewToken,
  NewUser,
  PersonalToken,
  Question,
  User,
} from './accounts/accounts.ts'
export { type FileProblems, fileProblems } from './accounts/file-problems.ts'
export type { BlobStore, BlobStream, BlobUpload, InspectedBytes, StoredBytes } from './blobs/blob-store.ts'
export type { ExaminedBlobs } from './blobs/examined-blobs.ts'
export { DataDirectoryError } from './blobs/file-system/data-directory.ts'
export { fileSystemBlobs, type FileSystemBlobsOptions } from './blobs/file-system/file-system-blobs.ts'
export { memoryBlobs } from './blobs/memory/memory-blobs.ts'
export { type ErrorHints, type Fault, faults, OptionsError, RegistryError } from './errors.ts'
export type { Hooks } from './events/hooks.ts'
export type { Cors } from './http/cors.ts'
export type { RequestSummary } from './http/handle.ts'
export type { Logger } from './logger.ts'
export type * from './metadata/account-store.ts'
export type { ExaminedMetadata } from './metadata/examined-metadata.ts'
export { DatabaseUnusableError } from './metadata/metadata-error.ts'
export type * from './metadata/metadata-store.ts'
export type * from './metadata/upkeep-store.ts'
export { DirectoryLockedError } from './metadata/sqlite/lock.ts'
export { sqliteMetadata, type SqliteMetadata, type SqliteMetadataOptions } from './metadata/sqlite/sqlite-metadata.ts'
export type { Limits, RegistryOptions } from './options.ts'
export { backUpDirectory, type BackUpDirectoryOptions } from './upkeep/back-up-directory.ts'
export { BackupError, type BackupReport } from './upkeep/backup-report.ts'
export { examine, type ExamineOptions, type ExamineProgress } from './upkeep/examine.ts'
export { type Finding, type FindingKind, findingKinds, type Invariant, type Severity } from './upkeep/finding.ts'
export { type ExaminedStorage, openForExamination } from './upkeep/open-for-examination.ts'
export type * from './upkeep/upkeep.ts'
export type { RetentionRule, UpkeepOptions } from './upkeep/upkeep-options.ts'
export { createRegistry, type Registry, type RegistryStatus, type SweepResult } from './registry.ts'
