/** Says of a layer that it is a directory, to be unpacked when it is pulled. Set to `true`; first used by oras. */
export const unpackKey = 'io.deis.oras.content.unpack'

/** The digest of the directory's tar, before compression. */
export const digestKey = 'io.deis.oras.content.digest'
