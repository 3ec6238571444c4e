/** What the page runs: the checks of every run, and those that only a page can do. */
import { createClient } from '@stowage/client'
import { checkClient } from './checks.ts'
import { checkFaults } from './faults.ts'
import { checkPage } from './page-checks.ts'
import { checkReggie } from './reggie-checks.ts'
import type { ClientRun, ServerAddresses } from './run.ts'

/** Of the program that opened the page. */
type Report = (name: string, took: number, failure?: string) => Promise<void>

export const runInPage = async (servers: ServerAddresses): Promise<void> => {
  const { report } = globalThis as unknown as { report: Report }
  const check: ClientRun['check'] = async (name, body) => {
    const began = performance.now()
    try {
      await body()
      await report(name, performance.now() - began)
    } catch (error) {
      await report(
        name,
        performance.now() - began,
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      )
    }
  }
  const run = { createClient, servers, check }
  await checkClient(run)
  await checkFaults(run)
  await checkReggie(run)
  await checkPage(run)
}
