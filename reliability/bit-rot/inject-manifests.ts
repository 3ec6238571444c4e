import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Random } from '../random.ts'

/** Damages the bytes of manifests in the database of a registry that is not served. */
export const injectManifests = (data: string, digests: readonly string[], random: Random): void => {
  using database = new DatabaseSync(join(data, 'registry.db'))
  const read = database.prepare('select bytes from manifest_contents where digest = ?')
  const write = database.prepare('update manifest_contents set bytes = ? where digest = ?')
  for (const [index, digest] of digests.entries()) {
    const bytes = read.get(digest)?.['bytes']
    if (!(bytes instanceof Uint8Array)) throw new Error(`The database has no manifest ${digest}.`)
    write.run(damaged(bytes, index % 4, random), digest)
  }
}

const damaged = (bytes: Uint8Array, how: number, random: Random): Uint8Array => {
  const at = random.between(1, bytes.byteLength - 1)
  if (how === 0) return bytes.with(at, bytes[at] === 0x20 ? 0x21 : 0x20)
  if (how === 1) return bytes.subarray(0, at)
  if (how === 2) return new Uint8Array(bytes.byteLength)
  return Buffer.concat([bytes, Buffer.from(' ')])
}
