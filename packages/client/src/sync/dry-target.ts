import type { Target } from '../content/ports.ts'

/** A target to which nothing is written: it says of everything what would become of it. Contents are not read either. */
export const dryTarget = (target: Target): Target => ({
  ...target,
  async putBlob(descriptor, _content, { absent, signal, mountFrom = [] } = {}) {
    const there = absent !== true && (await target.hasBlob(descriptor, signal === undefined ? {} : { signal }))
    if (there) return 'existing'
    return mountFrom.length > 0 ? 'mounted' : 'uploaded'
  },
  putManifest: async () => {},
  tag: async () => {},
  deleteTag: async () => {},
  deleteManifest: async () => {},
  finish: async () => {},
})
