import type { RemovedTag } from '@stowage/registry'
import { defineCommand } from '../command-line/define.ts'
import { count, flag, text } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { inputOf } from './accounts-input.ts'
import { askUpkeep } from './ask.ts'
import type { CommandInput } from './input.ts'
import { allPages } from './pages.ts'
import { instant, table } from './table.ts'

export const restore = defineCommand({
  usage: '[reference]',
  arguments: { reference: 'team/app:v1: a tag that retention removed; of several of this name the last' },
  about:
    'Brings back a tag that retention removed. Without an argument it lists what can be brought back, and until when.',
  options: {
    id: count('--id <n>', 'the removed tag with this number in the list'),
    as: text('--as <tag>', 'under another name'),
    overwrite: flag('--overwrite', 'a tag that has the name by now is moved'),
  },
  sides: 'server',
  examples: [
    ['stowage restore', 'what can be brought back'],
    ['stowage restore team/app:v1', 'what v1 was when it was removed'],
    ['stowage restore team/app:v1 --as v1-old', 'where v1 is something else by now'],
    ['stowage restore --id 17', 'not the last of its name'],
  ],
  async run({ args: [reference], options: { id, as, overwrite }, output, call: { signal }, ...context }) {
    const input = inputOf(context)
    if (reference === undefined && id === undefined) {
      if (as !== undefined || overwrite) throw new StowageError('usage', 'Say which tag: stowage restore team/app:v1')
      const tags = await removedTags(input, undefined, signal)
      await output.result({ tags }, table(['ID', 'TAG', 'DIGEST', 'REMOVED', 'UNTIL'], tags.map(rowOf), nothing))
      return
    }
    if (reference !== undefined && id !== undefined) {
      throw new StowageError('usage', 'Give a reference or --id, not both.')
    }
    const which = id ?? (await lastOf(input, reference ?? '', signal))
    const restored = await askUpkeep(
      input,
      'restore',
      { id: which, overwrite, ...(as !== undefined && { as }) },
      signal,
    )
    await output.result(restored, `Restored ${restored.repository}:${restored.tag}, which is ${restored.digest}.`)
  },
})

const nothing = 'Nothing can be brought back: retention removed no tag, or longer ago than retention.restoreFor.'

const rowOf = ({ id, repository, tag, digest, removedAt, restoreUntil }: RemovedTag): string[] => [
  String(id),
  `${repository}:${tag}`,
  digest,
  instant(removedAt),
  instant(restoreUntil),
]

const removedTags = async (
  input: CommandInput,
  repository: string | undefined,
  signal: AbortSignal,
): Promise<RemovedTag[]> =>
  allPages(
    async ({ last, limit }) => {
      const page = { limit, ...(last !== undefined && { last: Number(last) }) }
      return (
        await askUpkeep(input, 'removed-tags', { ...page, ...(repository !== undefined && { repository }) }, signal)
      ).tags
    },
    ({ id }) => String(id),
  )

/** The id of what a tag named when it was removed last. */
const lastOf = async (input: CommandInput, reference: string, signal: AbortSignal): Promise<number> => {
  const colon = reference.lastIndexOf(':')
  const [repository, tag] = [reference.slice(0, colon), reference.slice(colon + 1)]
  if (colon < 1 || tag === '') throw new StowageError('usage', 'Say which tag, without the registry: team/app:v1')
  const removed = (await removedTags(input, repository, signal)).filter((each) => each.tag === tag)
  const last = removed.toSorted((one, other) => one.removedAt - other.removedAt || one.id - other.id).at(-1)
  if (last !== undefined) return last.id
  throw new StowageError('not-found', `There is no removed tag ${reference} that can be brought back.`, {
    hint: 'stowage restore lists those there are.',
  })
}
