import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type CrashPlan, type Place, runCrashes } from '../crash/crash-run.ts'
import { outcomeOf } from '../crash/figures.ts'
import type { Row } from '../row.ts'

const small: CrashPlan = {
  cuts: 40,
  seconds: 45,
  load: [5, 500],
  wholeEvery: 20,
  doctorEvery: 20,
  doubleCrash: 0.1,
}
const full: CrashPlan = {
  ...small,
  cuts: 1000,
  acknowledged: 50_000,
  seconds: 43 * 60,
  wholeEvery: 100,
  doctorEvery: 50,
}

/** A registry that removes nothing fills the disk; then everything is looked at, and it begins anew. */
const mostMebibytes = 1024
const measureEvery = 10

export const kill: Row = {
  name: 'kill',
  title: 'SIGKILL at a random moment of work',
  method:
    '16 workers push images that share layers, move and delete tags, put referrers, pull, delete manifests and blobs, and abandon ' +
    'uploads, with garbage collection all the time (grace 1 s). After 5 to 500 ms the server and its children get SIGKILL; one ' +
    'start in ten is killed, too. Another process keeps what was asked and acknowledged, synced. After each restart everything ' +
    'that was touched and some of the rest is read and compared with what the acknowledgements allow, and now and then all of it.',
  portable: true,
  run: async (context) => {
    const directory = join(context.directory, 'store')
    mkdirSync(directory)
    let asked = 0
    const place: Place = {
      directory,
      cut: async (server, _random, stop) => {
        stop()
        await server.kill()
      },
      full: () => {
        asked += 1
        return asked % measureEvery === 0 && mebibytesIn(directory) > mostMebibytes
      },
      renew: async () => {
        rmSync(directory, { recursive: true })
        mkdirSync(directory)
      },
    }
    return outcomeOf(await runCrashes(context, context.size === 'full' ? full : small, place), 'cycles')
  },
}

const mebibytesIn = (directory: string): number =>
  Number(spawnSync('du', ['--summarize', '--block-size=1M', directory], { encoding: 'utf8' }).stdout.split('\t')[0])
