/** The file of a blob ends before the blob does: bytes were lost, and no reply may look complete. */
export class ShortFileError extends Error {
  override readonly name = 'ShortFileError'
  readonly code = 'BLOB_SHORT'

  constructor(wanted: number, found: number) {
    super(`The file of a blob ends at byte ${found}, but ${wanted} bytes of it were promised.`)
  }
}
