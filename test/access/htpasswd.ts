import { writeFile } from 'node:fs/promises'
import { principals } from './policy-model.ts'

/** The password of all by bcrypt, as cheaply as it goes. */
const bcrypt = '$2b$04$Dj1/9svYqlXTRtPL4o.qUOBqNZ0lY2uy/9e6aSJGJMwsyBEWhOnPe'

export const writeHtpasswd = async (path: string, gone: readonly string[] = []): Promise<void> => {
  const users = [...principals.map((kind) => `h-${kind}`), ...gone]
  await writeFile(path, users.map((name) => `${name}:${bcrypt}\n`).join(''))
}
