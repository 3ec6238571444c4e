import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** An ext4 file system in a file, on which the power can be cut. */
export interface LoopDevice extends AsyncDisposable {
  /** Where it is mounted. */
  readonly directory: string
  /** Share of it that is used, from 0 to 1. */
  used(): number
  /** Makes everything ready, so that the cut itself takes no time. */
  arm(flag: ShutdownFlag): PowerSwitch
  /** Unmounts what was cut off and mounts it again, with what is left. @returns what e2fsck complains of. */
  remount(): Promise<string | undefined>
  /** An empty file system in place of this one. */
  renew(): Promise<void>
}

/** Disposed of without a cut, it lets go of the file system. */
export interface PowerSwitch extends AsyncDisposable {
  /** Resolves when nothing but the word is missing. */
  readonly armed: Promise<unknown>
  cut(): Promise<void>
}

/** Of FS_IOC_SHUTDOWN: 0 writes everything first, 1 the journal, 2 nothing. */
export type ShutdownFlag = 0 | 1 | 2

/** Node has no ioctl, so a few lines of Python make this one. It opens the file system first, and cuts when told. */
const shutdown = `
import fcntl, os, struct, sys
place = os.open(sys.argv[1], os.O_RDONLY)
print('armed', flush=True)
if sys.stdin.readline() == 'cut\\n':
    fcntl.ioctl(place, 0x8004587d, struct.pack('I', int(sys.argv[2])))
    print('cut', flush=True)
`

const MiB = 1024 * 1024
/**
 * ext4 writes its journal every five seconds by itself, and with it much that nobody has synced. With five minutes between,
 * only what the registry asked for is on the disk, so that the test does not pass by luck.
 */
const options = 'loop,commit=300,noatime'

/** @throws when this process may not mount, or there are no loop devices. */
export const createLoopDevice = async (directory: string, mebibytes: number): Promise<LoopDevice> => {
  if (process.getuid?.() !== 0) throw new Error('The power cut needs root: it mounts a file system of its own.')
  if (!existsSync('/dev/loop-control'))
    throw new Error('The power cut needs loop devices: there is no /dev/loop-control.')
  for (const tool of ['mkfs.ext4', 'mount', 'umount', 'e2fsck', 'python3']) {
    if (spawnSync('which', [tool]).status !== 0) throw new Error(`The power cut needs ${tool}, which is not installed.`)
  }
  const image = join(directory, 'disk.img')
  const place = join(directory, 'disk')
  let mounted = false
  mkdirSync(place, { recursive: true })

  const make = (): void => {
    rmSync(image, { force: true })
    writeFileSync(image, '')
    truncateSync(image, mebibytes * MiB)
    execFileSync('mkfs.ext4', ['-q', '-F', image])
  }
  const mount = (): void => {
    execFileSync('mount', ['-o', options, image, place], { stdio: ['ignore', 'ignore', 'pipe'] })
    mounted = true
  }
  const unmount = async (): Promise<void> => {
    if (!mounted) return
    // A process that was killed a moment ago may still hold a file.
    for (let tried = 0; tried < 100; tried += 1) {
      if (spawnSync('umount', [place]).status === 0) {
        mounted = false
        return
      }
      await pause(50)
    }
    unmountNow()
  }
  const unmountNow = (): void => {
    if (mounted) spawnSync('umount', ['--lazy', place])
    mounted = false
  }
  process.on('exit', unmountNow)

  make()
  mount()
  return {
    directory: place,
    used: () => {
      const { blocks, bavail } = statfsSync(place)
      return 1 - bavail / blocks
    },
    arm: (flag) => {
      const child = spawn('python3', ['-c', shutdown, place, String(flag)], { stdio: ['pipe', 'pipe', 'inherit'] })
      const gone = once(child, 'exit')
      const armed = once(child.stdout, 'data')
      armed.catch(() => {})
      child.stdin.on('error', () => {})
      return {
        armed,
        cut: async () => {
          await armed
          child.stdin.end('cut\n')
          const [status] = (await gone) as [number | null]
          if (status !== 0) throw new Error('FS_IOC_SHUTDOWN failed: the power was not cut.')
        },
        [Symbol.asyncDispose]: async () => {
          child.stdin.end()
          await gone
        },
      }
    },
    remount: async () => {
      await unmount()
      // Mounting replays the journal; what e2fsck sees before that is a file system that was in use.
      mount()
      await unmount()
      const { status, stdout } = spawnSync('e2fsck', ['-f', '-n', image], { encoding: 'utf8' })
      mount()
      return status === 0 ? undefined : stdout.trim()
    },
    renew: async () => {
      await unmount()
      make()
      mount()
    },
    [Symbol.asyncDispose]: async () => {
      await unmount()
      process.off('exit', unmountNow)
    },
  }
}
