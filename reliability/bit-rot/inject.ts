import { open, stat, truncate, unlink } from 'node:fs/promises'
import type { Random } from '../random.ts'

export type Damage = (typeof damages)[number]

/** What disks, file systems and people do to files. */
export const damages = [
  'flipped bit',
  'truncated',
  'zero length',
  'zeroed tail',
  'all zeros',
  'deleted',
  'extended',
] as const

/** Damages a file where it is: whoever has it open sees it too, as with a disk that goes bad. */
export const inject = async (path: string, damage: Damage, random: Random): Promise<void> => {
  const { size } = await stat(path)
  switch (damage) {
    case 'truncated':
      return truncate(path, random.between(1, size - 1))
    case 'zero length':
      return truncate(path, 0)
    case 'deleted':
      return unlink(path)
    case 'flipped bit':
    case 'zeroed tail':
    case 'all zeros':
    case 'extended':
  }
  await using file = await open(path, 'r+')
  if (damage === 'extended') await file.write(random.bytes(random.between(1, 4096)), 0, null, size)
  else if (damage === 'flipped bit') {
    const at = random.between(0, size - 1)
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, at)
    byte.writeUInt8(byte.readUInt8() ^ (1 << random.between(0, 7)))
    await file.write(byte, 0, 1, at)
  } else {
    // Of random bytes the last eight are not zeros already.
    const from = damage === 'all zeros' ? 0 : random.between(0, size - 8)
    await file.write(Buffer.alloc(size - from), 0, null, from)
  }
}
