import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface WrkLoad {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  readonly headers?: Readonly<Record<string, string>>
}

export interface WrkReport {
  readonly requestsPerSecond: number
  /** All bytes that were read, also those of answers that the end of the run cut off. */
  readonly bytesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const reporter = fileURLToPath(new URL('wrk-report.lua', import.meta.url))

/** One thread of wrk, so that the load takes one core at most. Throws when any request failed: a rate of errors is no rate. */
export async function runWrk({ url, connections, seconds, headers = {} }: WrkLoad): Promise<WrkReport> {
  const output = await collect('wrk', [
    '--threads=1',
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    '--timeout=60s',
    `--script=${reporter}`,
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    url,
  ])
  return readWrkReport(output, url)
}

export function readWrkReport(output: string, url: string): WrkReport {
  const line = output.split('\n').find((text) => text.startsWith('stowage-bench '))
  if (line === undefined) throw new Error(`wrk on ${url} gave no report:\n${output}`)
  const found = Object.fromEntries(
    line
      .split(' ')
      .slice(1)
      .map((pair) => pair.split('='))
      .map(([name, value]) => [name, Number(value)]),
  )
  const figure = (name: string): number => {
    const value: unknown = found[name]
    if (typeof value !== 'number' || Number.isNaN(value)) throw new Error(`wrk's report has no ${name}: ${line}`)
    return value
  }
  for (const fault of ['connect', 'read', 'write', 'status', 'timeout']) {
    if (figure(fault) > 0) throw new Error(`wrk on ${url} met ${figure(fault)} errors of kind ${fault}`)
  }
  const seconds = figure('microseconds') / 1e6
  return {
    requestsPerSecond: figure('requests') / seconds,
    bytesPerSecond: figure('bytes') / seconds,
    p50Ms: figure('p50') / 1000,
    p99Ms: figure('p99') / 1000,
  }
}

function collect(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => reject(new Error(`${command} cannot be run: ${error.message}`)))
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}:\n${output}`)),
    )
  })
}
