import { isRepositoryName } from '@stowage/oci'
import { ClientError } from '../errors.ts'
import type { Place } from './place.ts'

/** What has to be known of an upload to go on with it. */
export interface UploadState {
  /** Path and query, at the registry's own origin. */
  readonly location: string
  readonly offset: number
  /** Bytes that a chunk must have at least, but for the last one. */
  readonly minChunk: number
}

export const formatToken = ({ registry, name }: Place, { location, offset, minChunk }: UploadState): string =>
  JSON.stringify({ registry, repository: name, location, offset, minChunk })

/** @throws {ClientError} `usage` for what is no token, or that of an upload to another repository */
export const parseToken = (own: Place, token: string): UploadState => {
  let value: unknown
  try {
    value = JSON.parse(token)
  } catch {
    value = undefined
  }
  const { registry, repository, location, offset, minChunk } = (value ?? {}) as Record<string, unknown>
  const valid =
    typeof location === 'string' &&
    location.startsWith('/') &&
    isWholeNumber(offset) &&
    isWholeNumber(minChunk) &&
    typeof repository === 'string' &&
    isRepositoryName(repository)
  if (!valid) throw new ClientError('usage', 'This is not the token of an upload. Use what `upload.token` gave.')
  if (registry !== own.registry || repository !== own.name) {
    throw new ClientError('usage', `The upload is one to ${String(registry)}/${repository}.`)
  }
  return { location, offset, minChunk }
}

const isWholeNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
