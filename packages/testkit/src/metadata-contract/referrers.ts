import type { Digest } from '@stowage/oci'
import { expect, it } from 'vitest'
import { digest, manifest, pages, put, remove, type StoreUnderTest } from './samples.ts'

const sbom = 'application/vnd.example.sbom'
const signature = 'application/vnd.example.signature'

export const describeReferrers = (store: StoreUnderTest): void => {
  const refer = async (
    repository: string,
    number: number,
    subject: Digest,
    artifactType?: string,
    annotations: Record<string, string> = {},
  ): Promise<void> => {
    const facts = {
      kind: 'artifact',
      contentSize: 0,
      platforms: [],
      annotations,
      ...(artifactType !== undefined && { artifactType }),
    } as const
    await put(store(), manifest(repository, `${number}`, { digest: digest(number), subject, facts }))
  }

  const numbers = async (page: {
    repository?: string
    subject: Digest
    artifactType?: string
    last?: string
    limit?: number
  }) => (await store().listReferrers({ repository: 'a', limit: 100, ...page })).map((row) => row.digest)

  it('are listed with what their descriptors need', async () => {
    const subject = digest(100)
    await refer('a', 1, subject, sbom, { 'org.example.tool': 'x' })
    await refer('a', 2, subject)
    expect(await store().listReferrers({ repository: 'a', subject, limit: 10 })).toEqual([
      {
        digest: digest(1),
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        size: 1,
        artifactType: sbom,
        annotations: { 'org.example.tool': 'x' },
      },
      { digest: digest(2), mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 1, annotations: {} },
    ])
  })

  it('are those of their subject and their repository, and need no subject to be there', async () => {
    await refer('a', 1, digest(100))
    await refer('a', 2, digest(101))
    await refer('b', 3, digest(100))
    expect(await numbers({ subject: digest(100) })).toEqual([digest(1)])
    expect(await numbers({ subject: digest(102) })).toEqual([])
    expect(await numbers({ subject: digest(100), repository: 'nowhere' })).toEqual([])
  })

  it('are listed in the order of their digests, in pages of any size, by type if asked', async () => {
    const subject = digest(100)
    const expected = Array.from({ length: 9 }, (_, index) => digest(index + 1))
    for (const number of [5, 9, 1, 7, 3, 8, 2, 6, 4])
      await refer('a', number, subject, number % 2 === 0 ? sbom : signature)
    for (const limit of [1, 2, 9, 100]) {
      const list = (filter: { artifactType?: string }) =>
        pages(
          (page) => store().listReferrers({ ...page, ...filter, repository: 'a', subject }),
          limit,
          (row) => row.digest,
        )
      expect(
        (await list({})).map((row) => row.digest),
        `in pages of ${limit}`,
      ).toEqual(expected)
      expect((await list({ artifactType: sbom })).map((row) => row.digest)).toEqual([2, 4, 6, 8].map(digest))
      expect(await list({ artifactType: `${sbom}x` })).toEqual([])
      expect(await list({ artifactType: '' })).toEqual([])
    }
    expect(await numbers({ subject, last: digest(4), limit: 2 })).toEqual([digest(5), digest(6)])
  })

  it('go when they are deleted and stay when their subject is', async () => {
    const subject = manifest('a', 'subject')
    await put(store(), subject)
    await refer('a', 1, subject.digest)
    await refer('a', 2, subject.digest)
    await remove(store(), 'a', digest(1))
    expect(await numbers({ subject: subject.digest })).toEqual([digest(2)])
    await remove(store(), 'a', subject.digest)
    expect(await numbers({ subject: subject.digest })).toEqual([digest(2)])
  })
}
