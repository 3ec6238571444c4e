import { resolveConfiguration } from '../config/resolve.ts'
import { defineCommand } from '../command-line/define.ts'
import { flag, size } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { approximately } from '../terminal/bytes.ts'
import { inputOf } from './accounts-input.ts'
import { requireRegistry } from './ask.ts'
import { createDiagnosis } from './doctor-report.ts'

export const doctor = defineCommand({
  usage: '',
  arguments: {},
  about:
    'Says whether anything is wrong with a registry, and how to mend it. It looks by itself, at a registry that is served or not, ' +
    'and changes nothing.',
  options: {
    deep: flag('--deep', 'read every blob and compare it with its digest, too'),
    rate: size('--rate <size>', 'bytes a second that are read (default 0: as fast as the disk gives them)'),
  },
  sides: 'server',
  examples: [
    ['stowage doctor', 'is every file there? exits with 9 when something is wrong'],
    ['stowage doctor --deep', 'and is it what it was?'],
    ['stowage doctor --deep --rate 50MiB --json', 'slowly, for a program'],
  ],
  async run({ options: { deep, rate = 0 }, output, progress, call: { signal }, ...context }) {
    const { settings } = resolveConfiguration(inputOf(context))
    requireRegistry(settings)
    const { data } = settings
    let looked = { blobs: 0, manifests: 0, bytes: 0 }
    using _ = progress.working(
      () => `Looked at ${looked.manifests} manifests and ${looked.blobs} blobs, ${approximately(looked.bytes)} read`,
    )
    // Only now: the store is a lot to load.
    const { examine } = await import('@stowage/registry')
    await using storage = await open(data)
    const diagnosis = createDiagnosis({ data, deep })
    const findings = examine({
      ...storage,
      deep,
      rate,
      signal,
      allowMissingBlobs: settings['manifests.allowMissingBlobs'],
      onProgress: (progressed) => (looked = progressed),
    })
    for await (const finding of findings) diagnosis.add(finding)
    await output.result(diagnosis.value(looked), diagnosis.text(looked))
    if (diagnosis.problems() > 0) throw new StowageError('problems', '')
  },
})

const open = async (data: string) => {
  const { openForExamination } = await import('@stowage/registry')
  const { cannotUse } = await import('../server/data-directory.ts')
  try {
    return await openForExamination(data)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'DATABASE_UNUSABLE') {
      throw new StowageError('data', cause.message, { cause })
    }
    throw cannotUse(data, cause)
  }
}
