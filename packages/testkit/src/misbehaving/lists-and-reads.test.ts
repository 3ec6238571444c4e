import { describe, expect, it } from 'vitest'
import { sample } from '../samples.ts'
import {
  earlierRange,
  ignoreArtifactType,
  ignoreRange,
  withoutDeletion,
  withoutReferrersApi,
  withoutSubjectHeader,
  withoutTagDeletion,
} from './lacks.ts'
import { linkTo, linkToFreshPages, linkToItself, linkToTrap, malformedLinks, writeLink } from './links.ts'
import { type MisbehavingRegistry, startMisbehavingRegistry } from './misbehaving-registry.ts'
import { rawRequest, type Witnessed } from '../testing/raw-request.ts'

const startWithTags = async (): Promise<MisbehavingRegistry> => {
  const server = await startMisbehavingRegistry()
  const image = sample.image('tagged')
  for (const tag of ['a', 'b', 'c']) await sample.pushImage(server, 'app', tag, image)
  return server
}

const tagsOf = (answer: Witnessed): unknown => (JSON.parse(answer.text()) as { tags: unknown }).tags
const linkOf = (answer: Witnessed): string => answer.header('link').join('\n')
const firstPage = '/v2/app/tags/list?n=2'

describe('Link', () => {
  it('to the page itself', async () => {
    await using server = await startWithTags()
    server.on({ path: /tags\/list/ }, linkToItself())
    expect(linkOf(await rawRequest(`${server.url}${firstPage}`))).toBe(`<${firstPage}>; rel="next"`)
  })

  it('to the trap, which has the page', async () => {
    await using server = await startWithTags()
    server.on({ path: /tags\/list/ }, linkToTrap())
    const answer = await rawRequest(`${server.url}${firstPage}`)
    expect(linkOf(answer)).toBe(`<${server.trap.url}${firstPage}>; rel="next"`)
    expect(tagsOf(await rawRequest(`${server.trap.url}${firstPage}`))).toEqual(['a', 'b'])
  })

  it('to ever fresh pages that are never empty', async () => {
    await using server = await startWithTags()
    server.on({ path: /tags\/list/ }, linkToFreshPages())
    let target = '/v2/app/tags/list'
    const seen = new Set<string>()
    for (let count = 0; count < 5; count++) {
      const answer = await rawRequest(`${server.url}${target}`)
      expect(tagsOf(answer)).toEqual(['a', 'b', 'c'])
      target = /^<([^>]+)>; rel="next"$/.exec(linkOf(answer))?.[1] ?? ''
      seen.add(target)
    }
    expect(seen.size).toBe(5)
  })

  it.each(['absolute', 'query', 'unquoted', 'upperCase', 'amongOthers', 'moreParameters'] as const)(
    'of the registry, written otherwise: %s',
    async (form) => {
      await using server = await startWithTags()
      server.on({}, writeLink(form))
      const answer = await rawRequest(`${server.url}${firstPage}`)
      const texts = {
        absolute: `<${server.url}/v2/app/tags/list?n=2&last=b>; rel="next"`,
        query: '<?n=2&last=b>; rel="next"',
        unquoted: '</v2/app/tags/list?n=2&last=b>; rel=next',
        upperCase: '</v2/app/tags/list?n=2&last=b> ; REL="NEXT"',
        amongOthers:
          '</first,page>; rel="first", </v2/app/tags/list?n=2&last=b>; rel="next", </last;page>; title="a, <b>"; rel=last',
        moreParameters:
          '</v2/app/tags/list?n=2&last=b>; title="x; rel=prev"; rel="prefetch next"; type="application/json"',
      }
      expect(linkOf(answer)).toBe(texts[form])
      const last = await rawRequest(`${server.url}/v2/app/tags/list?n=2&last=b`)
      expect([tagsOf(last), linkOf(last)]).toEqual([['c'], ''])
    },
  )

  it('malformed, in every way there is', async () => {
    await using server = await startWithTags()
    for (const link of malformedLinks) {
      const rule = server.on({}, linkTo(link))
      expect((await rawRequest(`${server.url}/v2/_catalog`)).header('link')).toEqual([link])
      rule.remove()
    }
    server.on({}, linkTo(undefined))
    expect(linkOf(await rawRequest(`${server.url}${firstPage}`))).toBe('')
  })
})

describe('referrers', () => {
  const subject = sample.image('subject')
  const referrer = (name: string, artifactType: string): ReturnType<typeof sample.image> =>
    sample.image(name, {
      artifactType,
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.manifest.byteLength },
    })

  const start = async (): Promise<MisbehavingRegistry> => {
    const server = await startMisbehavingRegistry()
    await sample.pushImage(server, 'app', 'v1', subject)
    for (const one of [referrer('one', 'text/one'), referrer('two', 'text/two')])
      await sample.pushImage(server, 'app', one.digest, one)
    return server
  }

  const list = async (server: MisbehavingRegistry, query = ''): Promise<Witnessed> =>
    rawRequest(`${server.url}/v2/app/referrers/${subject.digest}${query}`)

  const putAgain = async (server: MisbehavingRegistry): Promise<Witnessed> => {
    const { digest, manifest, mediaType } = referrer('one', 'text/one')
    return rawRequest(`${server.url}/v2/app/manifests/${digest}`, {
      method: 'PUT',
      body: manifest,
      headers: { 'content-type': mediaType },
    })
  }

  it('are listed, filtered, and announced without a behaviour', async () => {
    await using server = await start()
    const filtered = await list(server, '?artifactType=text/one')
    expect(JSON.parse(filtered.text())).toMatchObject({ manifests: [{ artifactType: 'text/one' }] })
    expect(filtered.header('oci-filters-applied')).toEqual(['artifactType'])
    expect((await putAgain(server)).header('oci-subject')).toEqual([subject.digest])
  })

  it.each(['text', 'html', 'oci'] as const)('withoutReferrersApi: 404 with %s', async (body) => {
    await using server = await start()
    server.on({}, withoutReferrersApi(body))
    const answer = await list(server)
    expect(answer.status).toBe(404)
    expect(answer.header('content-type')).toEqual([
      { text: 'text/plain', html: 'text/html', oci: 'application/json' }[body],
    ])
    const put = await putAgain(server)
    expect([put.status, put.header('oci-subject')]).toEqual([201, []])
  })

  it('withoutSubjectHeader: the API is there all the same', async () => {
    await using server = await start()
    server.on({}, withoutSubjectHeader())
    expect((await putAgain(server)).header('oci-subject')).toEqual([])
    expect((await list(server)).status).toBe(200)
  })

  it('ignoreArtifactType: all come, whatever was asked', async () => {
    await using server = await start()
    server.on({}, ignoreArtifactType())
    const answer = await list(server, '?artifactType=text/one')
    expect((JSON.parse(answer.text()) as { manifests: unknown[] }).manifests).toHaveLength(2)
    expect(answer.header('oci-filters-applied')).toEqual([])
  })
})

describe('deletion', () => {
  it('withoutTagDeletion: of tags not, of digests yes', async () => {
    await using server = await startWithTags()
    server.on({}, withoutTagDeletion())
    const manifest = (reference: string): string => `${server.url}/v2/app/manifests/${reference}`
    expect((await rawRequest(manifest('a'), { method: 'DELETE' })).status).toBe(405)
    const { digest } = sample.image('tagged')
    expect((await rawRequest(manifest(digest), { method: 'DELETE' })).status).toBe(202)
    server.on({}, withoutTagDeletion(400, 'DIGEST_INVALID'))
    const refused = await rawRequest(manifest('b'), { method: 'DELETE' })
    expect([refused.status, refused.text()]).toEqual([400, expect.stringContaining('DIGEST_INVALID')])
  })

  it('withoutDeletion: of nothing but uploads', async () => {
    await using server = await startWithTags()
    server.on({}, withoutDeletion())
    const { digest } = sample.image('tagged')
    expect((await rawRequest(`${server.url}/v2/app/manifests/${digest}`, { method: 'DELETE' })).status).toBe(405)
    const begun = await server.send('POST', '/v2/app/blobs/uploads/')
    expect((await rawRequest(`${server.url}${begun.header('location')}`, { method: 'DELETE' })).status).toBe(204)
  })
})

describe('ranges', () => {
  const headers = { range: 'bytes=5-7' }

  it('ignoreRange: 200 and the whole', async () => {
    await using server = await startMisbehavingRegistry()
    const digest = await sample.pushBlob(server, 'app', new TextEncoder().encode('0123456789'))
    server.on({}, ignoreRange())
    const answer = await rawRequest(`${server.url}/v2/app/blobs/${digest}`, { headers })
    expect([answer.status, answer.text()]).toEqual([200, '0123456789'])
  })

  it('earlierRange: another range than was asked for, and it is said', async () => {
    await using server = await startMisbehavingRegistry()
    const digest = await sample.pushBlob(server, 'app', new TextEncoder().encode('0123456789'))
    server.on({}, earlierRange(2))
    const answer = await rawRequest(`${server.url}/v2/app/blobs/${digest}`, { headers })
    expect([answer.status, answer.text(), answer.header('content-range')]).toEqual([206, '34567', ['bytes 3-7/10']])
  })
})
