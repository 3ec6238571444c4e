import type { CrashPlan } from '../crash/crash-run.ts'
import { outcomeOf } from '../crash/figures.ts'
import { runPowerCuts } from '../crash/power-cuts.ts'
import type { Row } from '../row.ts'

const small: CrashPlan = {
  cuts: 15,
  seconds: 45,
  load: [50, 1500],
  wholeEvery: 10,
  doctorEvery: 10,
  doubleCrash: 0.1,
}
const full: CrashPlan = { ...small, cuts: 300, seconds: 40 * 60, wholeEvery: 50, doctorEvery: 25 }

export const powerCut: Row = {
  name: 'power-cut',
  title: 'Power cut at a random moment of work',
  method:
    'The work of the row before, on a loop-mounted ext4 that writes nothing by itself (commit=300). FS_IOC_SHUTDOWN drops what ' +
    'is not on the disk (in a tenth of the cuts each: after the journal, or everything, was written), requests go on for up to ' +
    '40 ms, SIGKILL, unmount, mount, start, and the same comparison.',
  portable: true,
  run: async (context) => {
    const report = await runPowerCuts(context, context.size === 'full' ? full : small)
    const { figures, failures } = outcomeOf(report, 'cuts')
    const complaints = report.complaints.length
    return { figures: { ...figures, ...(complaints > 0 && { 'file systems not clean': complaints }) }, failures }
  },
}
