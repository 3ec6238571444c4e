import type { Digest } from '@stowage/oci'
import type { Quota } from '../access/grant.ts'
import { RegistryError } from '../errors.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { RepositoryGrant } from './open-uploads.ts'

/** What the tightest quota of a grant leaves. */
export interface Room {
  readonly quota: Quota
  readonly used: number
  /** Bytes; below zero when a limit was lowered. */
  readonly left: number
}

/**
 * The room as it is now, so that what cannot fit is refused before its bytes come. Others push at the same time: whether it
 * did fit is decided in the transaction that links the blob.
 *
 * @param digest Of the blob, where it is known: one that the repository has already takes no room.
 * @returns undefined when nothing limits the grant.
 */
export const roomFor = async (
  metadata: MetadataStore,
  { repository, quotas = [] }: RepositoryGrant,
  digest?: Digest,
): Promise<Room | undefined> => {
  if (quotas.length === 0) return undefined
  if (digest !== undefined && (await metadata.findBlob(repository, digest)) !== undefined) return undefined
  const rooms = await Promise.all(
    quotas.map(async (quota): Promise<Room> => {
      const used = await metadata.usage(quota)
      return { quota, used, left: quota.bytes - used }
    }),
  )
  return rooms.reduce((tightest, room) => (room.left < tightest.left ? room : tightest))
}

export const quotaExceeded = ({ quota, used }: Pick<Room, 'quota' | 'used'>): RegistryError => {
  const whose =
    quota.kind === 'actor'
      ? `What you push may have ${quota.bytes} bytes in all`
      : `The repositories ${quota.glob} may have ${quota.bytes} bytes together`
  return new RegistryError(
    'quota-exceeded',
    `${whose}, of which ${used} are used. Delete what is no longer needed, or ask who administers this registry for more.`,
    { detail: { limit: quota.bytes, used } },
  )
}
