import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { join } from 'node:path'
import { type Digest, digestAlgorithm, digestEncoded } from '@stowage/oci'

/** Only the owner of the process: what is pushed may be private, and the registry is the one door to it. */
export const directoryMode = 0o700
export const fileMode = 0o600

// Windows has no such flag; there `uploads` is checked when the store opens, as everywhere.
const noFollow = constants.O_NOFOLLOW ?? 0

export const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | noFollow
export const continueFlags = constants.O_RDWR | noFollow
export const readFlags = constants.O_RDONLY | noFollow

/** Where things are below a data directory. The names say what is in the files, so that it can be read without a database. */
export interface Layout {
  readonly root: string
  readonly uploads: string
  readonly blobs: string
  /** @throws TypeError when the id is not a UUID. */
  upload(id: string): string
  /** The file of a key, or undefined when the key is not one that `newKey` gives. */
  blob(key: string): string | undefined
}

export const createLayout = (root: string): Layout => {
  const uploads = join(root, 'uploads')
  const blobs = join(root, 'blobs')
  return {
    root,
    uploads,
    blobs,
    upload: (id) => {
      if (!isUploadId(id))
        throw new TypeError(`The id of an upload must be a UUID in lower case, not ${JSON.stringify(id)}.`)
      return join(uploads, id)
    },
    // Keys come from our own database, but a database can be edited or restored: no key may lead out of the directory.
    blob: (key) => (keyPattern.test(key) ? join(blobs, key) : undefined),
  }
}

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const isUploadId = (name: string): boolean => idPattern.test(name)

const keyPattern =
  /^(sha256\/([0-9a-f]{2})\/\2[0-9a-f]{62}|sha384\/([0-9a-f]{2})\/\3[0-9a-f]{94}|sha512\/([0-9a-f]{2})\/\4[0-9a-f]{126})\.[0-9a-f]{32}$/

/** The directory a key's file is in, below `blobs`: `sha256/ab`. */
export const shardOf = (key: string): string => key.slice(0, key.lastIndexOf('/'))

/**
 * A key for bytes of this digest that nobody had before: `sha256/ab/abcd….<generation>`, the path below `blobs`. The
 * generation is 122 random bits, so that a delete of an earlier copy can never meet a later one.
 */
export const newKey = (digest: Digest): string => {
  const encoded = digestEncoded(digest)
  return `${digestAlgorithm(digest)}/${encoded.slice(0, 2)}/${encoded}.${randomUUID().replaceAll('-', '')}`
}
