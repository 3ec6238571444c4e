import { diskFull } from './rows/disk-full.ts'
import { failingCalls } from './rows/failing-calls.ts'
import { kill } from './rows/kill.ts'
import { powerCut } from './rows/power-cut.ts'
import { powerCutControl } from './rows/power-cut-control.ts'
import { load } from './rows/load.ts'
import { resume } from './rows/resume.ts'
import { simulatedDisk } from './rows/simulated-disk.ts'
import type { Row } from './row.ts'

/** In the order of the table. */
export const rows: readonly Row[] = [kill, powerCut, powerCutControl, simulatedDisk, failingCalls, diskFull, resume, load]
