import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { machineCpu } from './proc.ts'
import type { Machine } from './result.ts'
import { median } from './statistics.ts'

/** Call it before the first row; the function it returns completes the description behind the last. */
export function describeMachine(directory: string, versions: Readonly<Record<string, string>>): () => Machine {
  const before = machineCpu()
  const [first] = cpus()
  const place = mountOf(directory)
  const description = {
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    disk: `${place.source}${kindOfDisk(place.source)}`,
    fileSystem: `${place.type} (${place.options})`,
    fsyncMs: measureFsync(directory),
    loadAverageAtStart: loadavg(),
    versions,
  }
  return () => {
    const after = machineCpu()
    return { ...description, stolenCpu: (after.stolen - before.stolen) / Math.max(1, after.total - before.total) }
  }
}

function mountOf(directory: string): { source: string; type: string; options: string } {
  const { stdout } = spawnSync(
    'findmnt',
    ['--noheadings', '--raw', '--output', 'SOURCE,FSTYPE,OPTIONS', '-T', directory],
    {
      encoding: 'utf8',
    },
  )
  const [source = 'unknown', type = 'unknown', options = ''] = (stdout ?? '').trim().split(' ')
  return { source, type, options }
}

/** Whether the kernel takes the disk for one that turns, and how its cache writes, where it says so. */
function kindOfDisk(source: string): string {
  const name = source.replace('/dev/', '')
  const queue = (file: string): string => {
    try {
      return readFileSync(`/sys/class/block/${name}/queue/${file}`, 'utf8').trim()
    } catch {
      return ''
    }
  }
  const facts = [
    ...(queue('rotational') === '' ? [] : [queue('rotational') === '0' ? 'not rotational' : 'rotational']),
    ...(queue('write_cache') === '' ? [] : [queue('write_cache')]),
  ]
  return facts.length === 0 ? '' : ` (${facts.join(', ')})`
}

function measureFsync(directory: string): number {
  const path = join(directory, 'fsync-probe')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  try {
    return median(
      Array.from({ length: 50 }, () => {
        const start = performance.now()
        writeSync(file, block)
        fsyncSync(file)
        return performance.now() - start
      }),
    )
  } finally {
    closeSync(file)
    rmSync(path)
  }
}
