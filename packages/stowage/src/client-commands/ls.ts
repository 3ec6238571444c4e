import { defineCommand } from '../command-line/define.ts'
import { count, flag, text, texts } from '../command-line/option-kinds.ts'
import { toFilter } from './filter.ts'

/** Tags made of a digest, as cosign and the referrers tag schema make them. */
const digestTag = /^sha(?:256|384|512)-[0-9a-f]{64}/

export const ls = defineCommand({
  usage: '<repository>',
  arguments: { repository: 'a repository, layout or archive' },
  about: 'Lists tags, one a line, in the order in which they are given.',
  options: {
    last: text('--last <tag>', 'only those after this tag'),
    limit: count('--limit <n>', 'no more than n'),
    include: texts(
      '--include <pattern>',
      'only those that match: a glob (v1.*) or /a regular expression/; may be repeated',
    ),
    exclude: texts('--exclude <pattern>', 'none that match; may be repeated'),
    noDigestTags: flag('-O, --exclude-digest-tags', 'none that are made of a digest (sha256-….sig)', {
      also: ['--omit-digest-tags'],
    }),
    fullRef: flag('--full-ref', 'print whole references'),
  },
  sides: 'one',
  examples: [
    ['stowage ls ghcr.io/acme/app', 'every tag'],
    ["stowage ls ghcr.io/acme/app --include 'v1.*' --exclude '*-rc*'", 'some of them'],
    ['stowage ls alpine --last 3.19 --limit 10', 'the ten after 3.19'],
    ['stowage ls ocidir:./images', 'the names in a layout'],
  ],
  async run({ args: [repository], options, connect, keep, output, call }) {
    const { last, limit = Number.POSITIVE_INFINITY, include, exclude, noDigestTags, fullRef } = options
    const wanted = toFilter(include, exclude)
    const client = await connect(repository)
    const { source } = await client.source(repository)
    keep(source)
    const chosen = async function* (): AsyncIterable<string> {
      let left = limit
      if (left === 0) return
      const pageSize = include.length + exclude.length === 0 && limit < 1000 ? { pageSize: limit } : {}
      for await (const tag of source.tags({ ...call, ...pageSize, ...(last === undefined ? {} : { last }) })) {
        if (!wanted(tag) || (noDigestTags && digestTag.test(tag))) continue
        yield tag
        if (--left === 0) return
      }
    }
    await output.list(chosen(), {
      text: (tag) => (fullRef ? `${source.name}:${tag}` : tag),
      value: (tags) => ({ repository: source.name, tags }),
    })
  },
})
