import {
  cutBodyAfter,
  jsonReply,
  linkTo,
  linkToFreshPages,
  linkToItself,
  linkToTrap,
  malformedLinks,
  sample as samples,
  writeLink,
} from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import { type Rig, startRig } from '../testing/misbehaving.ts'

const tags = ['a', 'b', 'c', 'd', 'e']

const rigWithTags = async (options: Parameters<typeof startRig>[0] = {}): Promise<Rig> => {
  const rig = await startRig(options)
  const image = samples.image('one')
  for (const tag of tags) await samples.pushImage(rig.server, 'test/app', tag, image)
  await samples.pushImage(rig.server, 'test/bee', 'v1', image)
  return rig
}

describe('lists', () => {
  it.each(['absolute', 'query', 'unquoted', 'upperCase', 'amongOthers', 'moreParameters'] as const)(
    'go on by a link of whatever form: %s',
    async (form) => {
      await using rig = await rigWithTags()
      rig.server.on({}, writeLink(form))
      expect(await collect(rig.repository.tags({ pageSize: 2 }))).toEqual(tags)
      const repositories = rig.client.registry(rig.server.host).repositories({ pageSize: 1 })
      expect(await collect(repositories)).toEqual(['test/app', 'test/bee'])
    },
  )

  it.each([
    ['itself', linkToItself(), 'invalid-response'],
    ['the same page by ever other names', linkToFreshPages(), 'invalid-response'],
    ['another origin', linkToTrap(), 'refused'],
  ] as const)('do not go on to %s', async (_, behaviour, code) => {
    await using rig = await rigWithTags()
    rig.server.on({}, behaviour)
    for (const list of [
      rig.repository.tags({ pageSize: 2 }),
      rig.client.registry(rig.server.host).repositories({ pageSize: 1 }),
    ]) {
      await expect(collect(list)).rejects.toMatchObject({ code })
    }
    expect(rig.traces.length).toBeLessThanOrEqual(4)
  })

  it.each(malformedLinks)('end, or fail, where the link is %j', async (link) => {
    await using rig = await rigWithTags()
    rig.server.on({}, linkTo(link))
    const [outcome] = await Promise.allSettled([collect(rig.repository.tags({ pageSize: 2 }))])
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'ClientError' })
    else expect(outcome.value).toEqual(['a', 'b'])
    expect(rig.traces.length).toBeLessThanOrEqual(2)
  })

  it('are asked for again where a page breaks off, and no item comes twice', async () => {
    await using rig = await rigWithTags()
    rig.server.on({}, cutBodyAfter(5), { skip: 1, times: 2 })
    expect(await collect(rig.repository.tags({ pageSize: 2 }))).toEqual(tags)
    expect(rig.traces).toHaveLength(5)
  })

  it.each<[string, unknown, string[] | string]>([
    ['nothing for null', { tags: null }, []],
    ['what are tags, and leave out the rest', { tags: ['ok', '../x', 5, null, '', 'a b', '-x'] }, ['ok']],
    ['no list', { tags: 'a' }, 'invalid-response'],
    ['no member', {}, 'invalid-response'],
    ['null', null, 'invalid-response'],
    ['a list of its own', ['a'], 'invalid-response'],
  ])('of tags take %s', async (_, body, expected) => {
    await using rig = await startRig()
    rig.server.on({}, () => jsonReply(200, body))
    if (typeof expected === 'string') {
      await expect(collect(rig.repository.tags())).rejects.toMatchObject({ code: expected })
    } else {
      expect(await collect(rig.repository.tags())).toEqual(expected)
    }
  })

  it.each<[unknown, string[] | string]>([
    [{ repositories: null }, []],
    [{ repositories: ['a/b', 'UP', '../x', 7, ''] }, ['a/b']],
    [{ repositories: {} }, 'invalid-response'],
    [{}, 'invalid-response'],
  ])('of repositories take what are repositories: %j', async (body, expected) => {
    await using rig = await startRig()
    rig.server.on({}, () => jsonReply(200, body))
    const list = rig.client.registry(rig.server.host).repositories()
    if (typeof expected === 'string') await expect(collect(list)).rejects.toMatchObject({ code: expected })
    else expect(await collect(list)).toEqual(expected)
  })
})
