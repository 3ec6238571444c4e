import { defineCommand } from '../command-line/define.ts'
import { count, flag, text, texts } from '../command-line/option-kinds.ts'
import { toFilter } from './filter.ts'

export const catalog = defineCommand({
  usage: '<registry>',
  arguments: { registry: 'a registry, or a namespace of one (ghcr.io/acme)' },
  about:
    'Lists the repositories of a registry, one a line. Not every registry tells: the specification does not ask for it.',
  options: {
    last: text('--last <repository>', 'only those after this one'),
    limit: count('--limit <n>', 'no more than n'),
    include: texts(
      '--include <pattern>',
      'only those that match: a glob (acme/*) or /a regular expression/; may be repeated',
    ),
    exclude: texts('--exclude <pattern>', 'none that match; may be repeated'),
    fullRef: flag('--full-ref', 'print whole references'),
  },
  sides: 'one',
  examples: [
    ['stowage catalog localhost:5000', 'every repository'],
    ['stowage catalog localhost:5000/acme', 'those whose names begin with acme/'],
    ['stowage catalog localhost:5000 --full-ref --limit 10', 'the first ten, as references'],
  ],
  async run({ args: [place], options, connect, output, call }) {
    const { last, limit = Number.POSITIVE_INFINITY, include, exclude, fullRef } = options
    const [, scheme = '', registry = '', namespace = ''] = /^(https?:\/\/)?([^/]*)\/?(.*?)\/?$/.exec(place) ?? []
    const wanted = toFilter(include, exclude)
    const client = await connect({ registry: `${scheme}${registry}` })
    const { name, repositories } = client.registry(`${scheme}${registry}`)
    const chosen = async function* (): AsyncIterable<string> {
      let left = limit
      if (left === 0) return
      for await (const repository of repositories({ ...call, ...(last === undefined ? {} : { last }) })) {
        if (namespace !== '' && !repository.startsWith(`${namespace}/`)) continue
        if (!wanted(repository)) continue
        yield repository
        if (--left === 0) return
      }
    }
    await output.list(chosen(), {
      text: (repository) => (fullRef ? `${name}/${repository}` : repository),
      value: (found) => ({ registry: name, repositories: found }),
    })
  },
})
