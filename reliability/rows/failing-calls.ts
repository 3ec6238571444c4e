import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tryDatabaseFaults } from '../failing/database-faults.ts'
import { type Tried, tryFaults } from '../failing/try-faults.ts'
import { createRandom } from '../random.ts'
import type { Row } from '../row.ts'

export const failingCalls: Row = {
  name: 'failing-calls',
  title: 'every system call of the blob store fails, each in its turn',
  method:
    'A registry over real files (on a tmpfs where there is one), behind a real socket. Of each kind of push, pull and deletion the k-th call of each system call ' +
    'fails, for every k: with EIO before and after it did its work, ENOSPC, EDQUOT, EMFILE, EINTR, or with fewer bytes than ' +
    'were given; once, and in the full size also from then on until the fault is taken away. Then the same request must ' +
    'succeed. Writes of the database fail by RLIMIT_FSIZE, which is set for a server that runs: from then on it must refuse ' +
    'what it cannot keep, serve what it has, and after a restart have everything that it acknowledged. A database that is ' +
    'full is in the row disk-full.',
  portable: false,
  run: async ({ size, directory, seed, signal, say }) => {
    const random = createRandom(seed)
    // The faults are injected, so the disk adds nothing but time: thousands of pushes with their fsyncs.
    const inMemory = existsSync('/dev/shm')
    const files = await mkdtemp(join(inMemory ? '/dev/shm' : directory, 'stowage-reliability-'))
    let tried: Tried
    try {
      tried = await tryFaults({ directory: files, random: random.fork('files'), staying: size === 'full', signal })
    } finally {
      await rm(files, { recursive: true, force: true })
    }
    say(`${tried.callsFailed} calls failed`)
    const rounds = size === 'full' ? 10 : 2
    const database = await tryDatabaseFaults({ directory, random: random.fork('database'), rounds, signal })
    return {
      figures: {
        'calls failed': tried.callsFailed,
        requests: tried.requests,
        'refused with 503 or 507': tried.refused,
        'succeeded all the same': tried.tolerated,
        'pulls cut': tried.cut,
        'false 2xx': tried.falseSuccesses,
        'other 5xx': tried.wrongStatuses,
        'not mended by asking again': tried.notMended,
        'corrupt pulls': tried.corruptPulls,
        'database rounds': rounds,
        'writes refused by the database': database.refused,
        'lost or corrupt after them': database.failures.length,
      },
      failures: [...tried.failures, ...database.failures].slice(0, 100),
    }
  },
}
