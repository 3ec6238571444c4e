import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../random.ts'
import type { RowContext } from '../row.ts'
import { type CrashPlan, type CrashReport, type Place, runCrashes } from './crash-run.ts'
import { createLoopDevice, type ShutdownFlag } from './loop-device.ts'

const mebibytes = 512
/** Of the file system; what is beyond it is for what a cycle adds. */
const fullAt = 0.6

/** The crashes of `plan`, with the power cut each time before the server is killed. */
export const runPowerCuts = async (
  context: RowContext,
  plan: CrashPlan,
): Promise<CrashReport & { readonly complaints: readonly string[] }> => {
  await using device = await createLoopDevice(context.directory, mebibytes)
  const complaints: string[] = []
  const place: Place = {
    directory: device.directory,
    cut: async (server, random, stop) => {
      await using power = device.arm(flagOf(random))
      await power.armed
      await power.cut()
      // What is acknowledged without power would be a lie.
      await pause(random.between(0, 40))
      stop()
      await server.kill()
      const complaint = await device.remount()
      if (complaint !== undefined) {
        complaints.push(complaint)
        context.say(`e2fsck: ${complaint.slice(-500)}`)
      }
    },
    full: () => device.used() > fullAt,
    renew: async () => device.renew(),
  }
  const report = await runCrashes(context, plan, place)
  return { ...report, complaints }
}

/** Mostly nothing is written any more; sometimes the journal is, which brings names without bytes, or everything. */
const flagOf = (random: Random): ShutdownFlag => {
  const chance = random.next()
  if (chance < 0.1) return 0
  return chance < 0.2 ? 1 : 2
}
