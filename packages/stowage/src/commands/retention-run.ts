import type { RetentionReport } from '@stowage/registry'
import type { CommandContext } from '../command-line/context.ts'
import { inputOf } from './accounts-input.ts'
import { askUpkeep } from './ask.ts'
import { notNow, plural, requireDone, sampleTable } from './upkeep-report.ts'

/** Applies the retention rules, or says what would come of it. */
export const runRetention = async (
  {
    output,
    progress,
    call: { signal },
    ...context
  }: Omit<CommandContext<readonly unknown[], object>, 'args' | 'options'>,
  body: { readonly dryRun: boolean; readonly trustClock?: boolean },
): Promise<void> => {
  using _ = progress.working('Looking at every tag')
  const report = await askUpkeep(inputOf(context), 'retention', body, signal)
  await output.result(report, describe(report))
  requireDone(report, 'stowage retention apply --trust-clock does it now.')
}

const describe = ({ dryRun, tags, manifests, forgotten, sample, withheld }: RetentionReport): string => {
  if (tags === 0 && manifests === 0 && forgotten === 0) {
    if (withheld !== undefined) return 'Nothing went.'
    return `Nothing ${dryRun ? 'would go' : 'went'}: no rule takes anything away.`
  }
  const did = dryRun ? 'Would remove' : 'Removed'
  const rows = sample.map((item) => [item.repository, 'tag' in item ? item.tag : '-', item.digest, item.because])
  const ended =
    forgotten === 0 ? '' : ` ${plural(forgotten, 'removed tag')} ${dryRun ? 'could' : 'can'} no longer be brought back.`
  return (
    `${did} ${plural(tags, 'tag')} and ${plural(manifests, 'manifest')} without one.${ended}` +
    sampleTable(['REPOSITORY', 'TAG', 'DIGEST', 'WHY'], rows, tags + manifests) +
    notNow({ dryRun, withheld })
  )
}
