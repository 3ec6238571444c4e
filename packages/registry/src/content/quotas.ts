import type { Quota } from '../access/grant.ts'
import { RegistryError } from '../errors.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { RepositoryGrant } from './open-uploads.ts'
import type { UnfinishedBytes } from './unfinished-bytes.ts'

/** The room that an upload has within the quotas of a grant. */
export interface Room {
  /** @throws RegistryError of `quota-exceeded` when an upload of so many bytes does not fit. */
  assert(bytes: number): void
  /** The same, and counts the bytes for the upload, so that they are no room for others. */
  take(bytes: number): void
}

/**
 * The room of an upload, so that what cannot fit is refused before its bytes come, or while they do. What is stored is read
 * here, once for a request; what unfinished uploads have is looked at each time. Others may finish in the meantime: whether it
 * did fit is decided in the transaction that links the blob.
 *
 * @returns undefined when nothing limits the grant.
 */
export const roomFor = async (
  metadata: MetadataStore,
  unfinished: UnfinishedBytes,
  grant: RepositoryGrant,
  id: string,
): Promise<Room | undefined> => {
  const { repository, actor, quotas = [] } = grant
  if (quotas.length === 0) return undefined
  const stored = await Promise.all(quotas.map(async (quota) => ({ quota, used: await metadata.usage(quota) })))

  const assert: Room['assert'] = (bytes) => {
    const [tightest] = stored
      .map((limit) => ({ ...limit, unfinished: unfinished.ofOthers(limit.quota, id) }))
      .toSorted((one, other) => left(one) - left(other))
    if (tightest !== undefined && left(tightest) < bytes) throw quotaExceeded(tightest)
  }
  return {
    assert,
    take: (bytes) => {
      assert(bytes)
      unfinished.set({ id, repository, actor }, bytes)
    },
  }
}

interface Used {
  readonly quota: Quota
  /** Bytes stored. */
  readonly used: number
  /** Bytes of other uploads that are not finished. */
  readonly unfinished?: number
}

/** Below zero when a limit was lowered. */
const left = ({ quota, used, unfinished = 0 }: Used): number => quota.bytes - used - unfinished

export const quotaExceeded = ({ quota, used, unfinished = 0 }: Used): RegistryError => {
  const whose =
    quota.kind === 'actor'
      ? `What you push may have ${quota.bytes} bytes in all`
      : `The repositories ${quota.glob} may have ${quota.bytes} bytes together`
  const detail = { limit: quota.bytes, used }
  if (unfinished === 0) {
    return new RegistryError(
      'quota-exceeded',
      `${whose}, of which ${used} are used. Delete what is no longer needed, or ask who administers this registry for more.`,
      { detail },
    )
  }
  return new RegistryError(
    'quota-exceeded',
    `${whose}, of which ${used} are used and ${unfinished} are those of other uploads that are not finished. ` +
      'Finish or cancel these (DELETE on their Location), delete what is no longer needed, or ask who administers this registry for more.',
    { detail: { ...detail, unfinished } },
  )
}
