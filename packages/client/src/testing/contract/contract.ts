import { expect } from 'vitest'
import type { Client } from '../../client.ts'
import { readAll } from '../../content/verify.ts'
import type { ClientError } from '../../errors.ts'
import { parsePlatform } from '../../platform.ts'
import type { Repository } from '../../registry/repository.ts'
import type { HostOptions } from '../../transport/hosts.ts'
import { sampleImage, sampleIndex, type SampleManifest } from '../sample-images.ts'
import { fresh } from './fresh.ts'

/** A registry, and a way to it. */
export interface ClientPlace extends AsyncDisposable {
  /** As in references. */
  readonly registry: string
  /** A client that reaches it, with these options of its host besides. */
  connect(options?: HostOptions): Client
}

/** What a registry can do besides what all of them can. */
export interface PlaceFacts {
  readonly referrersApi: boolean
  /** Whether lists of tags come in pages of the size that is asked for. */
  readonly pagesTags: boolean
}

/** What the parts of the contract share. */
export interface Contract {
  readonly facts: PlaceFacts
  place(): ClientPlace
  client(): Client
  /** A repository that nobody has used before. */
  repository(of?: Client): Repository
}

export const text = async (chunks: AsyncIterable<Uint8Array>): Promise<string> =>
  new TextDecoder().decode(await readAll(chunks, 1e8, 'it'))

/** All of them together: one that is not waited for yet may fail as well. */
export const allReject = async (calls: readonly Promise<unknown>[], error: Partial<ClientError>): Promise<void> => {
  for (const result of await Promise.allSettled(calls)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { name: 'ClientError', ...error } })
  }
}

/** An index that says which platform each of its images is for; they share a layer. */
export const platformIndex = (
  ...platforms: readonly string[]
): { readonly images: readonly SampleManifest[]; readonly index: SampleManifest } => {
  const shared = fresh(100_000)
  const images = platforms.map((name) => {
    const platform = parsePlatform(name)
    const image = sampleImage({ platform, layers: [shared, fresh(1000)] })
    return { ...image, descriptor: { ...image.descriptor, platform } }
  })
  return { images, index: sampleIndex(images) }
}
