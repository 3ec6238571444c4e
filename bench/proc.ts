import { readFileSync, writeFileSync } from 'node:fs'

/** Linux counts processor time in ticks of 10 ms, whatever the kernel's own clock. */
const ticksPerSecond = 100

export interface Memory {
  /** VmRSS: bytes in memory now. */
  readonly resident: number
  /** VmHWM: the most that was resident since the start or the last `resetPeak`. */
  readonly peak: number
}

/** Of one process, without its children. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { resident: kibibytes(status, 'VmRSS') * 1024, peak: kibibytes(status, 'VmHWM') * 1024 }
}

/** Sets VmHWM back to VmRSS (proc(5), `clear_refs`, value 5). */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Seconds of processor time of a process and its living children: nginx does its work in those. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program, in parentheses, may hold spaces: count the fields from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const own = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return children.reduce((sum, child) => sum + cpuSecondsOf(Number(child)), own)
}

/** Processor time of the whole machine since it started: all of it, and what the hypervisor took. */
export function machineCpu(): { readonly total: number; readonly stolen: number } {
  const first = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? ''
  const fields = first.split(/\s+/).slice(1, 9).map(Number)
  return { total: fields.reduce((sum, field) => sum + field, 0), stolen: fields[7] ?? 0 }
}

function kibibytes(status: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (found === undefined) throw new Error(`/proc says nothing of ${name}: has the process ended?`)
  return Number(found)
}
