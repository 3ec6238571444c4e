import type { CrashPlan } from '../crash/crash-run.ts'
import { outcomeOf } from '../crash/figures.ts'
import { runPowerCuts } from '../crash/power-cuts.ts'
import type { Row } from '../row.ts'

const calls = 'fsync,fdatasync,sync_file_range,msync,sync,syncfs'
/** The kernel never sees the call and the registry is told that it worked: in any language, with any C library or none. */
const withoutSync = [
  'strace',
  '-f',
  '--seccomp-bpf',
  '-o',
  '/dev/null',
  '-e',
  `trace=${calls}`,
  '-e',
  `inject=${calls}:retval=0`,
]

const plan: CrashPlan = {
  cuts: 15,
  seconds: 25,
  load: [300, 1500],
  wholeEvery: 1,
  doctorEvery: 1000,
  doubleCrash: 0,
  under: withoutSync,
  stopWhen: (findings) => findings.total() > 0,
}

export const powerCutControl: Row = {
  name: 'power-cut-control',
  title: 'Power cut with fsync taken away',
  method:
    'The row before, with a registry whose fsync, fdatasync and the like do nothing and succeed (strace --inject). It must lose ' +
    'what it acknowledged, and ends when it has: otherwise the row before shows nothing.',
  portable: true,
  control: true,
  run: async (context) => outcomeOf(await runPowerCuts(context, plan), 'cuts'),
}
