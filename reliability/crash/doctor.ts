import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { program } from '../../bench/servers/stowage.ts'
import type { Findings } from './findings.ts'

/** Whether this build of stowage has the command. */
export const hasDoctor = (): boolean => / doctor /.test(stowage(['--help']).stdout)

/** Whether this build of stowage collects garbage by itself. */
export const hasGarbageSettings = (): boolean => stowage(['serve', '--help']).stdout.includes('--garbage-every')

/** Has the store examined while no server runs. What it calls a problem is a failure. */
export const examine = (directory: string, findings: Findings): void => {
  const { status, stdout, stderr } = stowage(['doctor', '--json', '--deep', '--data', join(directory, 'data')])
  const report = parse(stdout)
  if (report === undefined) {
    findings.add('doctor', `exit ${status}`, `stowage doctor ended with ${status}: ${(stderr || stdout).slice(0, 300)}`)
    return
  }
  for (const finding of report.findings) {
    if (finding['severity'] === 'problem')
      findings.add('doctor', JSON.stringify(finding), JSON.stringify(finding).slice(0, 300))
  }
}

interface Report {
  readonly findings: readonly Readonly<Record<string, unknown>>[]
}

const parse = (text: string): Report | undefined => {
  try {
    const report: unknown = JSON.parse(text)
    if (typeof report !== 'object' || report === null || !('findings' in report)) return undefined
    // Our own command wrote it.
    return Array.isArray(report.findings) ? (report as Report) : undefined
  } catch {
    return undefined
  }
}

const stowage = (args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
