import type { Descriptor, Digest } from '@stowage/oci'
import type { BlobPart } from './check-blob.ts'
import type { FindingRole } from './finding.ts'

/** The blobs of an image, each once however often it is named. */
export interface Parts {
  /** @param diffId What the config says of its bytes before compression. */
  add(role: FindingRole, descriptor: Descriptor, where: string, diffId?: Digest): void
  all(): Iterable<BlobPart>
}

/** No blobs yet. */
export const createParts = (): Parts => {
  const parts = new Map<string, BlobPart & { readonly diffIds: Set<Digest> }>()
  return {
    add(role, descriptor, where, diffId) {
      // The same digest with another length is another claim.
      const key = `${descriptor.digest} ${descriptor.size}`
      const part = parts.get(key) ?? { role, descriptor, where, diffIds: new Set() }
      parts.set(key, part)
      if (diffId !== undefined) part.diffIds.add(diffId)
    },
    all: () => parts.values(),
  }
}

/** `linux/amd64 layers[2]` */
export const within = (where: string, member: string, at?: number): string => {
  const here = at === undefined ? member : `${member}[${at}]`
  return where === '' ? here : `${where} ${here}`
}
