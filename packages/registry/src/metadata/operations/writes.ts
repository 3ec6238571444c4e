import type { Operation, Settled } from '../operation.ts'
import { addIssuer, removeIssuer } from './accounts/issuers.ts'
import { addRule, removeRule } from './accounts/rules.ts'
import { addSigningKey, removeSigningKey } from './accounts/signing-keys.ts'
import { addToken, removeExpiredTokens, removeToken, touchTokens } from './accounts/tokens.ts'
import { addUser, changeUser, removeUser } from './accounts/users.ts'
import { finishUpload, forgetGarbage, mountBlob, unlinkBlob } from './blobs.ts'
import { collectBlobs, touchBlob, touchManifest } from './collection.ts'
import { acknowledgeEvents, enrollReceivers } from './events.ts'
import { check } from './health.ts'
import { deleteManifest, putManifest } from './manifests.ts'
import { recordPulls } from './pulls.ts'
import { forgetRemovedTags, removeTags, restoreTag } from './removed-tags.ts'
import { quarantineBlob, quarantineManifest, verifiedBlobs } from './scrub.ts'
import { deleteTag } from './tags.ts'
import { collectManifests } from './untagged-manifests.ts'
import { writeState } from './upkeep-state.ts'
import { createUpload, expireUpload, forgetUpload, saveUpload } from './uploads.ts'

/**
 * Every operation that writes, by name. A name and arguments that `structuredClone` takes are all a writer needs, in this
 * thread or another.
 */
export const writes = {
  putManifest,
  deleteManifest,
  deleteTag,
  mountBlob,
  unlinkBlob,
  forgetGarbage,
  createUpload,
  saveUpload,
  finishUpload,
  cancelUpload: forgetUpload,
  expireUpload,
  enrollReceivers,
  acknowledgeEvents,
  recordPulls,
  addUser,
  changeUser,
  removeUser,
  addToken,
  removeToken,
  touchTokens,
  removeExpiredTokens,
  addRule,
  removeRule,
  addIssuer,
  removeIssuer,
  addSigningKey,
  removeSigningKey,
  collectBlobs,
  touchBlob,
  touchManifest,
  removeTags,
  restoreTag,
  forgetRemovedTags,
  collectManifests,
  quarantineBlob,
  verifiedBlobs,
  quarantineManifest,
  writeState,
  check,
} satisfies Record<string, (...args: never) => Operation<unknown>>

export type WriteName = keyof typeof writes
export type WriteArguments<Name extends WriteName> = Parameters<(typeof writes)[Name]>
export type WriteResult<Name extends WriteName> =
  ReturnType<(typeof writes)[Name]> extends Operation<infer Result> ? Settled<Result> : never

/** The operation, for a name and arguments that have come a long way. */
export function startWrite(name: WriteName, args: readonly unknown[]): Operation<unknown> {
  return Reflect.apply(writes[name], undefined, args)
}

/**
 * Those that a power cut may take back: a client begins again, an event comes again, a pull is not counted, a grace period
 * ends as if nobody had asked.
 */
const relaxed: ReadonlySet<WriteName> = new Set([
  'createUpload',
  'saveUpload',
  'acknowledgeEvents',
  'recordPulls',
  'touchTokens',
  'touchBlob',
  'touchManifest',
  'verifiedBlobs',
])

export function isDurable(name: WriteName): boolean {
  return !relaxed.has(name)
}

/** Those that can change what `findManifest` or `findBlob` has found. (What comes back from quarantine only adds.) */
const ofContent: ReadonlySet<WriteName> = new Set([
  'putManifest',
  'deleteManifest',
  'deleteTag',
  'mountBlob',
  'unlinkBlob',
  'finishUpload',
  'collectBlobs',
  'touchBlob',
  'touchManifest',
  'removeTags',
  'restoreTag',
  'collectManifests',
  'quarantineBlob',
  'quarantineManifest',
])

export function changesContent(name: WriteName): boolean {
  return ofContent.has(name)
}
