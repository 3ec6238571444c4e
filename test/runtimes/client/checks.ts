/** What the root entry of the client does, on registries that behave. */
import {
  blobContent,
  bytesContent,
  collect,
  copy,
  createMemoryTarget,
  javascriptHash,
  parsePlatform,
  type TraceEvent,
} from '@stowage/client'
import { type Descriptor, digestOf, mediaTypes } from '@stowage/oci'
import {
  type Image,
  json,
  makeImage,
  mebibyte,
  part,
  pushImage,
  randomBytes,
  sameBytes,
  streamContent,
} from './content.ts'
import { type ClientRun, equal, failureOf, ok, plainHttp } from './run.ts'

const artifactType = 'application/vnd.example.signature'

export const checkClient = async ({ createClient, servers, check }: ClientRun): Promise<void> => {
  const traced: TraceEvent[] = []
  await using client = createClient({ hosts: plainHttp, onTrace: (event) => void traced.push(event) })
  const repository = client.repository(`${servers.open}/runs/app`)
  const countOf = async (method: string, body: () => Promise<unknown>): Promise<number> => {
    traced.length = 0
    await body()
    return traced.filter((event) => event.method === method).length
  }

  await check('is let in', async () => client.registry(servers.open).ping())

  await check('pushes a blob of 5 MiB from a Blob, and pulls it verified', async () => {
    const { bytes, descriptor } = await part(randomBytes(5 * mebibyte, 1))
    const sent: number[] = []
    const content = blobContent(new Blob([bytes]))
    equal(
      await repository.putBlob(descriptor, content, { onProgress: (count) => void sent.push(count) }),
      'uploaded',
      'It',
    )
    equal(sent.at(-1), bytes.byteLength, 'what was told of the progress')
    await sameBytes(repository.getBlob(descriptor), bytes)
    equal(await repository.putBlob(descriptor, content), 'existing', 'It')
  })

  await check('pushes slices of a Blob, one request each', async () => {
    const { bytes, descriptor } = await part(randomBytes(3 * mebibyte + 5, 2))
    const sent: number[] = []
    const patches = await countOf('PATCH', async () => {
      await using upload = await repository.startUpload()
      const options = { chunkSize: mebibyte, onProgress: (count: number) => void sent.push(count) }
      await upload.write(blobContent(new Blob([bytes.subarray(0, mebibyte), bytes.subarray(mebibyte)])), options)
      await upload.commit(descriptor.digest)
    })
    equal(patches, 4, 'the number of requests')
    equal(sent.at(-1), bytes.byteLength, 'what was told of the progress')
    ok(
      sent.every((count, index) => count > (sent[index - 1] ?? 0)),
      `The progress is ${sent.join(', ')}.`,
    )
    await sameBytes(repository.getBlob(descriptor), bytes)
  })

  await check('pushes a blob of 17 MiB from bytes', async () => {
    const { bytes, descriptor } = await part(randomBytes(17 * mebibyte, 3))
    equal(await repository.putBlob(descriptor, bytesContent(bytes)), 'uploaded', 'It')
    await sameBytes(repository.getBlob(descriptor), bytes)
  })

  await check('pushes a stream of 17 MiB whose length nobody knows', async () => {
    const { bytes, descriptor } = await part(randomBytes(17 * mebibyte, 4))
    equal(await repository.putBlob(descriptor, streamContent(bytes)), 'uploaded', 'It')
    await sameBytes(repository.getBlob(descriptor), bytes)
  })

  await check('goes on with an upload from its token', async () => {
    const { bytes, descriptor } = await part(randomBytes(4 * mebibyte, 5))
    const whole = new Blob([bytes])
    const begun = await repository.startUpload()
    await begun.write(blobContent(whole.slice(0, mebibyte + 7)))
    const { token } = begun
    // Another client, as after a reload.
    await using again = createClient({ hosts: plainHttp })
    await using upload = await again.repository(repository.name).resumeUpload(token)
    equal(upload.offset, mebibyte + 7, 'the offset')
    await upload.write(blobContent(whole))
    await upload.commit(descriptor.digest)
    await sameBytes(repository.getBlob(descriptor), bytes)
  })

  await check('pulls from an offset', async () => {
    const { bytes, descriptor } = await part(randomBytes(mebibyte, 6))
    await repository.putBlob(descriptor, bytesContent(bytes))
    await sameBytes(repository.getBlobFrom(descriptor, 300_000), bytes, 300_000)
  })

  await check('does not store bytes that are not those of the digest', async () => {
    const { descriptor } = await part(randomBytes(2 * mebibyte, 7))
    const failure = await failureOf(repository.putBlob(descriptor, bytesContent(randomBytes(2 * mebibyte, 8))))
    equal((failure as { code?: unknown }).code, 'digest-mismatch', 'the code')
    equal(await repository.hasBlob(descriptor), false, 'whether it is there')
  })

  await check('hashes as Web Crypto does, also in JavaScript', async () => {
    for (const size of [0, 1, 64, 100_001]) {
      const { bytes, descriptor } = await part(randomBytes(size, 9))
      equal(digestOf(bytes, javascriptHash), descriptor.digest, `the digest of ${size} bytes`)
    }
    await using own = createClient({ hosts: plainHttp, hash: javascriptHash })
    const { bytes, descriptor } = await part(randomBytes(mebibyte, 10))
    await repository.putBlob(descriptor, bytesContent(bytes))
    await sameBytes(own.repository(repository.name).getBlob(descriptor), bytes)
  })

  const image = await makeImage(11, 2 * mebibyte)
  await check('pushes an image, finds it by its tag and opens it', async () => {
    await pushImage(repository, image, 'v1')
    equal(await client.resolve(`${repository.name}:v1`), image.manifest.descriptor, 'the descriptor')
    const opened = await client.open(`${repository.name}:v1`)
    if (opened.kind !== 'image') throw new Error(`It is an ${opened.kind}.`)
    equal((await opened.config()).architecture, 'arm64', 'the architecture')
    await sameBytes(opened.source.getBlob(image.layer.descriptor), image.layer.bytes)
  })

  const attached = await artifact(image)
  await check('attaches an artifact and lists it', async () => {
    await repository.putBlob(attached.file.descriptor, bytesContent(attached.file.bytes))
    await repository.putManifest(attached.manifest.descriptor, attached.manifest.bytes)
    const { digest } = image.manifest.descriptor
    const all = await collect(repository.referrers(digest))
    equal(
      all.map((one) => [one.digest, one.artifactType]),
      [[attached.manifest.descriptor.digest, artifactType]],
      'the list',
    )
    equal((await collect(repository.referrers(digest, { artifactType }))).length, 1, 'the number of that type')
    equal((await collect(repository.referrers(digest, { artifactType: 'text/plain' }))).length, 0, 'that of another')
    const opened = await client.open(`${repository.name}@${attached.manifest.descriptor.digest}`)
    if (opened.kind !== 'artifact') throw new Error(`It is an ${opened.kind}.`)
    equal(
      [opened.artifactType, opened.files[0]?.size],
      [artifactType, attached.file.bytes.byteLength],
      'what is opened',
    )
  })

  await check('pushes an index and opens the image for a platform', async () => {
    const index = await json(
      {
        schemaVersion: 2,
        mediaType: mediaTypes.ociImageIndex,
        manifests: [{ ...image.manifest.descriptor, platform: parsePlatform('linux/arm64') }],
      },
      mediaTypes.ociImageIndex,
    )
    await repository.putManifest(index.descriptor, index.bytes, { tags: ['all', 'latest'] })
    const opened = await client.open(repository.name)
    if (opened.kind !== 'index') throw new Error(`It is an ${opened.kind}.`)
    const child = await opened.platform(parsePlatform('linux/arm64'))
    equal(child.descriptor.digest, image.manifest.descriptor.digest, 'the digest')
  })

  await check('lists tags and repositories, page by page', async () => {
    equal(await collect(repository.tags({ pageSize: 2 })), ['all', 'latest', 'v1'], 'the tags')
    const pages = await collect(repository.tags({ pageSize: 2 }).pages())
    equal(
      pages.map(({ items }) => items.length),
      [2, 1],
      'the pages',
    )
    const { name } = repository.repository
    ok((await collect(client.registry(servers.open).repositories())).includes(name), `${name} is not in the catalog.`)
  })

  await check('copies to another registry with what refers to it, and copies nothing twice', async () => {
    const [from, to] = [`${repository.name}:all`, `http://${servers.other}/copies/app:all`]
    const job = client.copy(from, to, { referrers: true })
    let told = 0
    for await (const event of job) if (event.type === 'progress') told = Math.max(told, event.sent)
    equal(told, image.layer.bytes.byteLength, 'what was told of the progress')
    const { manifests, referrers, bytes } = await job.result
    equal([manifests.copied, referrers], [3, 1], 'the manifests and referrers')
    ok(bytes > 2 * mebibyte, `It has copied ${bytes} bytes.`)
    const target = client.repository(`${servers.other}/copies/app`)
    await sameBytes(target.getBlob(image.layer.descriptor), image.layer.bytes)
    equal((await collect(target.referrers(image.manifest.descriptor.digest))).length, 1, 'the number of referrers')
    const second = await client.copy(from, to, { referrers: true }).result
    equal([second.bytes, second.blobs.copied], [0, 0], 'what is copied again')
  })

  const large = await makeImage(12, 17 * mebibyte)
  await check('copies a blob of 17 MiB, and reads it once', async () => {
    await pushImage(repository, large, 'large')
    const pulls = await countOf('GET', async () => {
      await client.copy(`${repository.name}:large`, `http://${servers.other}/copies/large:v1`).result
    })
    // Of the manifest and of its two blobs.
    equal(pulls, 3, 'the number of requests to read it')
    const target = client.repository(`${servers.other}/copies/large`)
    await sameBytes(target.getBlob(large.layer.descriptor), large.layer.bytes)
  })

  await check('mounts within a registry', async () => {
    const { blobs } = await client.copy(`${repository.name}:v1`, `${servers.open}/runs/mounted:v1`).result
    equal(blobs, { copied: 0, existing: 0, mounted: 2 }, 'what became of the blobs')
  })

  await check('copies many blobs at once within a registry that mounts none', async () => {
    const layers = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => part(randomBytes(2 * mebibyte, 100 + index))),
    )
    for (const { bytes, descriptor } of layers) await repository.putBlob(descriptor, bytesContent(bytes))
    const manifest = await imageOf(
      image,
      layers.map(({ descriptor }) => descriptor),
    )
    await repository.putManifest(manifest.descriptor, manifest.bytes, { tags: ['wide'] })
    // Without saying where it is, as a source of another kind.
    const { repository: _, ...source } = repository
    await using own = createClient({ hosts: { '*': { ...plainHttp['*'], uploads: { chunkSize: mebibyte } } } })
    const target = own.repository(`${servers.open}/runs/wide`)
    const { blobs } = await copy({ source, reference: 'wide' }, { target, tags: ['wide'] }, { concurrency: 12 }).result
    equal(blobs.copied, 13, 'the number of blobs')
  })

  await check('copies to memory and from there', async () => {
    await using memory = createMemoryTarget('run')
    await copy({ source: repository, reference: 'v1' }, { target: memory, tags: ['v1'] }).result
    const target = client.repository(`${servers.other}/copies/from-memory`)
    await copy({ source: memory, reference: 'v1' }, { target, tags: ['v1'] }).result
    equal(await target.resolve('v1'), image.manifest.descriptor, 'the descriptor')
    await sameBytes(target.getBlob(image.layer.descriptor), image.layer.bytes)
  })

  await check('deletes', async () => {
    await repository.deleteTag('latest')
    equal(await collect(repository.tags()), ['all', 'large', 'v1', 'wide'], 'the tags')
    await repository.deleteManifest(attached.manifest.descriptor.digest)
    equal((await collect(repository.referrers(image.manifest.descriptor.digest))).length, 0, 'the number of referrers')
    await repository.deleteBlob(attached.file.descriptor.digest)
    equal(await repository.hasBlob(attached.file.descriptor), false, 'whether the blob is there')
  })

  await check('stops a download as it is asked to', async () => {
    const stop = new AbortController()
    const failure = await failureOf(
      (async () => {
        for await (const _ of repository.getBlob(large.layer.descriptor, { signal: stop.signal })) stop.abort()
      })(),
    )
    equal((failure as { code?: unknown }).code, 'aborted', 'the code')
  })
}

const artifact = async (subject: Image) => {
  const file = await part(new TextEncoder().encode('signed'), 'text/plain')
  const manifest = await json(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociImageManifest,
      artifactType,
      config: { ...file.descriptor, mediaType: mediaTypes.ociEmpty },
      layers: [file.descriptor],
      subject: subject.manifest.descriptor,
    },
    mediaTypes.ociImageManifest,
  )
  return { file, manifest }
}

const imageOf = async ({ config }: Image, layers: readonly Descriptor[]) =>
  json(
    { schemaVersion: 2, mediaType: mediaTypes.ociImageManifest, config: config.descriptor, layers },
    mediaTypes.ociImageManifest,
  )
