/** What only a page of another origin can show. */
import { blobContent, type ClientError, collect, type Fetch } from '@stowage/client'
import { mebibyte, part, randomBytes, sameBytes, streamContent } from './content.ts'
import { type ClientRun, equal, failureOf, ok, plainHttp } from './run.ts'

const page = globalThis as unknown as { readonly location: { readonly origin: string }; fetch: Fetch }

export const checkPage = async ({ createClient, servers, check }: ClientRun): Promise<void> => {
  const { bytes: large, descriptor: largeBlob } = await part(randomBytes(17 * mebibyte, 31))

  await check('sends a stream piece by piece, because browsers send none', async () => {
    const sizes: number[] = []
    await using client = createClient({ hosts: plainHttp })
    const repository = client.repository(`${servers.open}/runs/pieces`)
    await watching(
      (init) => {
        if (init.method === 'PATCH') sizes.push((init.body as Uint8Array).byteLength / mebibyte)
        ok(!init.headers.has('user-agent'), 'It has said who it is, which Firefox asks the registry to allow.')
      },
      async () => repository.putBlob(largeBlob, streamContent(large)),
    )
    equal(sizes, [8, 8, 1], 'the sizes')
    await sameBytes(repository.getBlob(largeBlob), large)
  })

  await check('does not take every connection for what it reads', async () => {
    await using client = createClient({ hosts: plainHttp })
    const repository = client.repository(`${servers.open}/runs/pieces`)
    await repository.putBlob(largeBlob, blobContent(new Blob([large])))
    let asked = 0
    await watching(
      () => void asked++,
      async () => {
        const bodies = Array.from({ length: 12 }, () => repository.getBlob(largeBlob)[Symbol.asyncIterator]())
        const first = Promise.all(bodies.map(async (body) => body.next()))
        // What is read holds its place, and those that wait for one have asked for nothing.
        await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 500))])
        equal(asked, 4, 'the number of requests under way')
        for (const body of bodies) await body.return?.()
        await first
      },
    )
  })

  await using client = createClient({ hosts: { '*': { ...plainHttp['*'], retry: { attempts: 1 } } } })

  await check('is told what may be wrong where a registry does not let the page in', async () => {
    const failure = (await failureOf(client.registry(servers.closed).ping())) as ClientError
    equal(failure.code, 'network', 'the code')
    ok(failure.hint?.includes(page.location.origin) === true, `The hint is ${failure.hint}.`)
  })

  await check('neither reads nor writes where it is not let in', async () => {
    const { bytes, descriptor } = await part(randomBytes(mebibyte, 33))
    const repository = client.repository(`${servers.closed}/runs/app`)
    const work = [repository.putBlob(descriptor, blobContent(new Blob([bytes]))), collect(repository.tags())]
    for (const one of work) equal(((await failureOf(one)) as ClientError).code, 'network', 'the code')
  })
}

/** The client looks `fetch` up at each call. */
const watching = async (see: (init: Parameters<Fetch>[1]) => void, body: () => Promise<unknown>): Promise<void> => {
  const { fetch } = page
  page.fetch = async (url, init) => {
    see(init)
    return fetch(url, init)
  }
  try {
    await body()
  } finally {
    page.fetch = fetch
  }
}
