import { describe, expect, it } from 'vitest'
import { formatAmount, formatRatio } from '../bench/format.ts'
import { readCounts } from '../bench/load/strace.ts'
import { readWrkReport } from '../bench/load/wrk.ts'
import { toMarkdown } from '../bench/markdown.ts'
import { readOptions } from '../bench/options.ts'
import { outcomes, unjudged } from '../bench/outcome.ts'
import { toPicture } from '../bench/picture.ts'
import type { BenchResult, RowResult, Series } from '../bench/result.ts'

const series = (name: string, ...measured: number[]): Series => ({
  name,
  warmUp: { value: 1e9, detail: {} },
  rounds: measured.map((value) => ({ value, detail: { 'p99 ms': value / 1000 } })),
})

const rate: RowResult = {
  id: 'manifest',
  title: 'GET manifest <by tag>',
  unit: 'requests/s',
  series: [series('stowage', 40_000, 50_000, 45_000), series('docker-registry', 2_000, 1_000, 1_500)],
  targets: [
    { subject: 'stowage', peer: 'docker-registry', direction: 'at least', bound: 20 },
    { subject: 'stowage', peer: 'nginx', direction: 'at least', bound: 0.35 },
  ],
  notes: ['a note'],
}

const memory: RowResult = {
  id: 'memory',
  title: 'memory',
  unit: 'bytes',
  series: [series('stowage, idle', 200 * 1024 * 1024, 160 * 1024 * 1024)],
  targets: [{ subject: 'stowage, idle', direction: 'at most', bound: 150 * 1024 * 1024 }],
  notes: [],
}

const result: BenchResult = {
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:10:00.000Z',
  command: 'node bench/run.ts',
  commit: 'abc1234',
  rounds: 3,
  seconds: 5,
  machine: {
    cpu: 'Processor',
    cores: 2,
    memoryBytes: 24 * 2 ** 30,
    kernel: '6.1',
    node: 'v24.0.0',
    disk: '/dev/disk',
    fileSystem: 'ext4 (rw)',
    fsyncMs: 0.314,
    loadAverageAtStart: [0.5, 0.25, 0],
    stolenCpu: 0.012,
    versions: { nginx: 'nginx/1' },
  },
  rows: [rate, memory],
  absent: ['zot 2: no Go toolchain'],
  setup: { stowage: 'defaults' },
}

describe('outcomes', () => {
  it('holds the ratio of the medians against the target, and never counts the warm-up', () => {
    expect(outcomes(rate)).toMatchObject([{ figure: 30, lowest: 20, highest: 50, met: true }])
  })

  it('names a target whose peer did not run, instead of passing it', () => {
    expect(unjudged(rate)).toEqual([rate.targets[1]])
  })

  it('takes a target without a peer as an amount, and at most as a ceiling', () => {
    const mebibyte = 1024 * 1024
    expect(outcomes(memory)).toMatchObject([
      { figure: 180 * mebibyte, lowest: 160 * mebibyte, highest: 200 * mebibyte, met: false },
    ])
  })

  it('is met when the figure is the bound itself', () => {
    const exact = { ...rate, series: [series('stowage', 40), series('docker-registry', 2)] }
    expect(outcomes(exact)[0]?.met).toBe(true)
    const below = { ...rate, series: [series('stowage', 39.9), series('docker-registry', 2)] }
    expect(outcomes(below)[0]?.met).toBe(false)
  })
})

describe('format', () => {
  it('writes amounts in the unit that people compare them in', () => {
    expect(formatAmount(45_678, 'requests/s')).toBe('45\u202F678/s')
    expect(formatAmount(72.46, 'images/s')).toBe('72.5/s')
    expect(formatAmount(2_961_000_000, 'bytes/s')).toBe('2.96 GB/s')
    expect(formatAmount(0.3141, 'ms')).toBe('0.314 ms')
    expect(formatAmount(1234 * 1024 * 1024, 'bytes')).toBe('1\u202F234 MiB')
  })

  it('writes ratios with three digits at most', () => {
    expect(formatRatio(20)).toBe('20 ×')
    expect(formatRatio(0.35123)).toBe('0.351 ×')
    expect(formatRatio(123.4)).toBe('123 ×')
  })
})

describe('toMarkdown', () => {
  const page = toMarkdown(result, { title: 'What was found', raw: 'results/raw.json', picture: 'picture.svg' })

  it('has a line a target, met or not', () => {
    expect(page).toContain('1 of 2 targets met')
    expect(page).toContain(
      '| GET manifest <by tag> | stowage: 45\u202F000/s | docker-registry: 1\u202F500/s | **30 ×** (20 ×–50 ×) | at least 20 × | yes |',
    )
    expect(page).toContain('| memory | stowage, idle |  | **180 MiB** (160 MiB–200 MiB) | at most 150 MiB | **no** |')
  })

  it('compares every server of a row with ours', () => {
    expect(page).toContain('| docker-registry | 1\u202F500/s (1\u202F000/s–2\u202F000/s) | 30 × | 1.5 |')
  })

  it('names what was not judged and who was left out', () => {
    expect(page).toContain('- not judged: GET manifest <by tag>, stowage against nginx')
    expect(page).toContain('- left out: zot 2: no Go toolchain')
  })

  it('says where the load ran', () => {
    expect(page).toContain('on the same machine as the servers')
    expect(page).toContain('4 KiB and fsync take 0.31 ms')
    expect(page).toContain('the hypervisor took 1.2 %')
  })
})

describe('toPicture', () => {
  const picture = toPicture(result)
  const numbers = (pattern: RegExp) => [...picture.matchAll(pattern)].map(([, number]) => Number(number))
  const ends = numbers(/<rect x="\d+" y="\d+" width="([\d.]+)"/g).map((length) => length + 430)
  const marks = numbers(/<line x1="([\d.]+)"[^>]* stroke-width="3"/g)

  it('has a bar and a mark a target that was judged, and the bar crosses the mark as the figure crosses the target', () => {
    expect(ends).toHaveLength(2)
    expect(marks).toHaveLength(2)
    // 30 × where 20 × were asked for, and 180 MiB where 150 MiB are the most.
    expect(ends[0]).toBeGreaterThan(marks[0] ?? Number.NaN)
    expect(ends[1]).toBeGreaterThan(marks[1] ?? Number.NaN)
    expect(picture).toMatch(/#2f855a[^]*#c05621/)
  })

  it('is well-formed where a title has signs of XML in it', () => {
    expect(picture).toContain('GET manifest &lt;by tag&gt;')
    expect(picture).not.toContain('NaN')
  })
})

describe('readWrkReport', () => {
  it('turns counts into rates', () => {
    expect(readWrkReport(wrkOutput(0), 'http://host')).toEqual({
      requestsPerSecond: 15_000,
      bytesPerSecond: 3_000_000,
      p50Ms: 0.25,
      p99Ms: 1.5,
    })
  })

  it('refuses a run with failures in it, and one without a report', () => {
    expect(() => readWrkReport(wrkOutput(3), 'http://host')).toThrow('wrk on http://host met 3 errors of kind timeout')
    expect(() => readWrkReport('unable to connect', 'http://host')).toThrow('gave no report')
  })
})

describe('readCounts', () => {
  it('reads the calls of a table of strace, with and without a column of errors', () => {
    const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.10    0.123456          51      2400           fsync
  0.90    0.001000          10       100         2 fdatasync
------ ----------- ----------- --------- --------- ----------------
100.00    0.124456          49      2500         2 total`
    expect(readCounts(table)).toEqual({ fsync: 2400, fdatasync: 100 })
  })

  it('counts a call that has no line as never made', () => {
    expect(readCounts('')).toEqual({ fsync: 0, fdatasync: 0 })
  })
})

describe('readOptions', () => {
  it('runs everything, five rounds of five seconds, unless told otherwise', () => {
    expect(readOptions([])).toMatchObject({ rows: undefined, rounds: 5, seconds: 5, without: [] })
    expect(readOptions(['--rows', 'manifest,head', '--rounds', '3'])).toMatchObject({
      rows: ['manifest', 'head'],
      rounds: 3,
    })
  })

  it('names the flag that it cannot use', () => {
    expect(() => readOptions(['--rounds', '0'])).toThrow("--rounds needs a whole number of at least 1, got '0'")
    expect(() => readOptions(['--seconds', '1.5'])).toThrow('--seconds')
    expect(() => readOptions(['--round', '3'])).toThrow('--round')
  })
})

function wrkOutput(timeouts: number): string {
  const faults = `connect=0 read=0 write=0 status=0 timeout=${timeouts}`
  return `Running 1s test\nstowage-bench microseconds=2000000 requests=30000 bytes=6000000 ${faults} p50=250 p99=1500\n`
}
