import { copy as copyBetween, isNotFound, openManifest, parsePlatform, type Target } from '@stowage/client'
import { isTag } from '@stowage/oci'
import { show } from '../config/show.ts'
import { defineCommand } from '../command-line/define.ts'
import { flag, oneOf, texts } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { copiedValue, finishCopy } from './copied.ts'
import { checkPlatform, thisPlatform } from './open-image.ts'
import { resumeSending } from './resume-sending.ts'
import { runSync, splitTag } from './run-sync.ts'
import { splitTags } from './tag-list.ts'

export const cp = defineCommand({
  usage: '<source> <target>',
  arguments: {
    source: 'an image in a registry, a layout or an archive',
    target: 'where it goes; further tags may follow: host/app:v1,v1.2',
  },
  about:
    'Copies an image from any place to any other, with all its platforms. What is there already is not sent again; within one registry blobs are mounted.',
  options: {
    recursive: flag('-r, --recursive', 'also what refers to it: signatures, SBOMs, attestations', {
      also: ['--referrers'],
    }),
    allTags: flag('-a, --all-tags', 'every tag of the repository'),
    noClobber: flag('-n, --no-clobber', 'leave tags alone that the target has already'),
    platform: texts('--platform <platform>', 'only os/arch[/variant] of an index; may be repeated'),
    index: oneOf('--index <way>', 'with platforms: rewrite the index (the default), or leave it sparse', [
      'rewrite',
      'sparse',
    ]),
    digestTags: flag('--digest-tags', 'also tags made of its digest, as cosign makes them'),
    force: flag('--force', 'look at everything, also below what is there: mends a target that lost blobs', {
      also: ['--force-recursive'],
    }),
    tag: texts('-t, --tag <tag>', 'a further tag; may be repeated'),
    // The first and the last are so anyway.
    all: flag('--all', 'skopeo: all platforms', { hidden: true }),
    multiArch: oneOf('--multi-arch <which>', 'skopeo: all, or system', ['all', 'system'], { hidden: true }),
    preserveDigests: flag('--preserve-digests', 'skopeo: fail where a digest would be another one', { hidden: true }),
  },
  sides: 'two',
  resume: resumeSending(1),
  examples: [
    ['stowage cp alpine:3.20 localhost:5000/alpine:3.20', 'with all platforms'],
    ['stowage cp -r ghcr.io/acme/app:v1 registry.example/app:v1,latest', 'with its signatures, under two tags'],
    ['stowage cp -a ghcr.io/acme/app registry.example/app', 'every tag'],
    ['stowage cp --platform linux/arm64 alpine ocidir:./images:alpine', 'one platform, into a layout'],
    ['stowage cp --to-username me --to-password-stdin alpine registry.example/alpine', 'credentials for one side'],
  ],
  async run(context) {
    const { args, options, connectSides, keep, shared, output, call } = context
    const [from] = args
    const { reference: to, tags: listed } = splitTags(args[1])
    const further = [...listed, ...options.tag]
    const wrong = further.find((tag) => !isTag(tag))
    if (wrong !== undefined) throw new StowageError('usage', `${show(wrong)} is not a tag.`)
    if (options.index !== undefined && options.platform.length === 0) {
      throw new StowageError(
        'usage',
        '--index says what becomes of an index of some platforms: name them with --platform.',
      )
    }
    const { all, multiArch, preserveDigests } = options
    if (options.platform.length > 0 && (all || multiArch !== undefined)) {
      throw new StowageError('usage', `${all ? '--all' : '--multi-arch'} and --platform say different things.`)
    }
    if (preserveDigests && options.platform.length > 1 && options.index !== 'sparse') {
      throw new StowageError('usage', 'An index of some platforms has another digest. Leave it sparse: --index sparse.')
    }
    const named = multiArch === 'system' ? [thisPlatform()] : options.platform
    const platforms = named.map(parsePlatform)
    const { recursive: referrers, digestTags, force, index, noClobber } = options
    const how = { platforms, referrers, digestTags, force, ...(index === undefined ? {} : { index }) }
    if (options.allTags) {
      if (further.length > 0) throw new StowageError('usage', 'With --all-tags the tags are those of the source.')
      await runSync(context, { from: [splitTag(from)], to: splitTag(to), ...how, keepOld: noClobber })
      return
    }

    const sides = await connectSides(from, to)
    const { source, reference } = await sides.from.source(from)
    keep(source)
    if (platforms.length > 0) await checkPlatform(await openManifest(source, reference, call), platforms, call)
    const { target, tags: own } = await sides.to.target(to)
    keep(target)
    const tags = [...new Set([...own, ...further])]
    const wanted = noClobber ? await withoutOld(target, tags, output.line, call) : tags
    if (tags.length > 0 && wanted.length === 0) {
      const there = await target.resolve(tags[0] ?? '', { ...call, fresh: true })
      const full = `${target.name}@${there.digest}`
      await output.result({ reference: full, ...there, tags: [] }, full)
      return
    }
    const { concurrency } = shared
    const job = copyBetween(
      { source, reference },
      { target, tags: wanted },
      { ...how, signal: call.signal, ...(concurrency === undefined ? {} : { concurrency }) },
    )
    const result = await finishCopy(job, target, context)
    await output.result(copiedValue(target, wanted, result), `${target.name}@${result.root.digest}`)
  },
})

/** The tags that the target does not have yet. */
const withoutOld = async (
  target: Target,
  tags: readonly string[],
  say: (text: string) => void,
  call: { readonly signal: AbortSignal },
): Promise<readonly string[]> => {
  const wanted: string[] = []
  for (const tag of tags) {
    try {
      const { digest } = await target.resolve(tag, { ...call, fresh: true })
      say(`left ${target.name}:${tag}, which is ${digest}`)
    } catch (error) {
      if (!isNotFound(error)) throw error
      wanted.push(tag)
    }
  }
  return wanted
}
