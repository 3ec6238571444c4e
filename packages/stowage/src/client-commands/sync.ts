import { readFile } from 'node:fs/promises'
import { addAbortSignal, type Readable } from 'node:stream'
import { parsePlatform, type SyncPair } from '@stowage/client'
import { defineCommand } from '../command-line/define.ts'
import { count, flag, oneOf, text, texts } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { toPattern } from './filter.ts'
import { resumeSending } from './resume-sending.ts'
import { runSync } from './run-sync.ts'

export const sync = defineCommand({
  usage: '[places...]',
  arguments: {
    places: 'repositories or images, and behind them the target; one that ends with / has each below it',
  },
  about:
    'Copies every image of a repository to another, or of many repositories. What the target has already is skipped with one question, and what images share is sent once. An image that fails does not stop the others.',
  options: {
    include: texts(
      '--include <pattern>',
      'only tags that match: a glob (v1.*) or /a regular expression/; may be repeated',
    ),
    exclude: texts('--exclude <pattern>', 'none that match; may be repeated'),
    dryRun: flag('-n, --dry-run', 'only say what would be copied'),
    from: text('--from <file>', 'a list: one source a line, or a source and its target; - is stdin'),
    noClobber: flag('--no-clobber', 'leave tags alone that the target has already'),
    recursive: flag('-r, --recursive', 'also what refers to images: signatures, SBOMs, attestations', {
      also: ['--referrers'],
    }),
    digestTags: flag('--digest-tags', 'also tags made of their digests, as cosign makes them'),
    platform: texts('--platform <platform>', 'only os/arch[/variant] of indexes; may be repeated'),
    index: oneOf('--index <way>', 'with platforms: rewrite indexes (the default), or leave them sparse', [
      'rewrite',
      'sparse',
    ]),
    force: flag('--force', 'look at everything, also below what is there: mends a target that lost blobs'),
    images: count('--images <n>', 'images under way at once (default 8)', {
      least: 1,
      also: ['--image-parallel-copies'],
    }),
    stop: flag('--stop-on-error', 'stop at the first image that fails', { also: ['--abort-on-error'] }),
  },
  sides: 'two',
  resume: resumeSending(-1),
  examples: [
    ['stowage sync ghcr.io/acme/app registry.example/app', 'every tag'],
    [
      "stowage sync ghcr.io/acme/app registry.example/app --include 'v1.*' --exclude '*-rc*' -n",
      'what would be copied',
    ],
    ["stowage sync 'localhost:5000/team/*' registry.example/mirror/", 'every repository of a team, by the catalog'],
    ['stowage sync alpine:3.20 debian:12 registry.example/mirror/', 'as registry.example/mirror/library/alpine:3.20 …'],
    ['stowage sync --from images.txt registry.example/mirror/', 'what a file lists'],
  ],
  notes: `A list has a source on each line, and may have its target behind it. What follows # is left out:
  ghcr.io/acme/app:v1
  ghcr.io/acme/tool   registry.example/tools/tool`,
  async run(context) {
    const { args, options, call, terminal } = context
    const words = args[0]
    const lines = options.from === undefined ? [] : parseList(await readList(options.from, terminal.stdin, call.signal))
    const isWhole = lines.length > 0 && lines.every((line) => typeof line !== 'string')
    // Lines with targets need none besides.
    const [sources, to] = isWhole && words.length === 0 ? [[], undefined] : [words.slice(0, -1), words.at(-1)]
    if (sources.length + lines.length === 0 || (to === undefined && !isWhole)) {
      throw new StowageError('usage', 'Say what to copy and where to: stowage sync SOURCE TARGET.', {
        hint: 'See stowage sync --help.',
      })
    }
    await runSync(context, {
      from: [...sources, ...lines],
      ...(to === undefined ? {} : { to }),
      tags: { include: options.include.map(toPattern), exclude: options.exclude.map(toPattern) },
      dryRun: options.dryRun,
      keepOld: options.noClobber,
      referrers: options.recursive,
      digestTags: options.digestTags,
      platforms: options.platform.map(parsePlatform),
      force: options.force,
      stopOnError: options.stop,
      ...(options.index === undefined ? {} : { index: options.index }),
      ...(options.images === undefined ? {} : { concurrency: options.images }),
    })
  },
})

const readList = async (file: string, stdin: Readable, signal: AbortSignal): Promise<string> => {
  if (file !== '-') return readFile(file, { encoding: 'utf8', signal })
  const parts: Buffer[] = []
  for await (const part of addAbortSignal(signal, stdin)) parts.push(Buffer.from(part as Uint8Array))
  return Buffer.concat(parts).toString('utf8')
}

const parseList = (list: string): (string | SyncPair)[] =>
  list.split(/\r?\n/).flatMap((line, at): (string | SyncPair)[] => {
    const [from, to, ...more] = line
      .replace(/(?:^|\s)#.*$/, '')
      .trim()
      .split(/\s+/)
    if (from === undefined || from === '') return []
    if (more.length > 0)
      throw new StowageError('usage', `Line ${at + 1} of the list has more than a source and a target.`)
    return to === undefined ? [from] : [{ from, to }]
  })
