import { bitRot } from './rows/bit-rot.ts'
import { diskFull } from './rows/disk-full.ts'
import { failingCalls } from './rows/failing-calls.ts'
import { gcRace } from './rows/gc-race.ts'
import { kill } from './rows/kill.ts'
import { powerCut } from './rows/power-cut.ts'
import { powerCutControl } from './rows/power-cut-control.ts'
import { load } from './rows/load.ts'
import { soak } from './rows/soak.ts'
import { resume } from './rows/resume.ts'
import { simulatedDisk } from './rows/simulated-disk.ts'
import { httpFuzz } from './rows/http-fuzz.ts'
import { manifestFuzz } from './rows/manifest-fuzz.ts'
import { model } from './rows/model.ts'
import { parsers } from './rows/parsers.ts'
import type { Row } from './row.ts'

/** In the order of the table. */
export const rows: readonly Row[] = [
  kill,
  powerCut,
  powerCutControl,
  simulatedDisk,
  failingCalls,
  diskFull,
  gcRace,
  bitRot,
  resume,
  httpFuzz,
  manifestFuzz,
  parsers,
  model,
  load,
  soak,
]
