/**
 * The run of the client as a program, for Bun and for Node. `program.ts root '<addresses>'` uses the root entry, `node` the one for
 * Node, and `proxy` asks for no more than what a proxy shows. Prints a line of JSON for each check.
 */
import { createClient } from '@stowage/client'
import { createClient as createNodeClient } from '@stowage/client/node'
import { checkClient } from './checks.ts'
import { checkFaults } from './faults.ts'
import { checkNode, checkProxy, type NodeFacts } from './node-checks.ts'
import { checkReggie } from './reggie-checks.ts'
import type { ClientRun, ServerAddresses } from './run.ts'

const [, , what, servers = '{}', facts = '{}'] = process.argv

const run: ClientRun = {
  createClient: what === 'root' ? createClient : createNodeClient,
  servers: JSON.parse(servers) as ServerAddresses,
  check: async (name, body) => {
    const began = performance.now()
    let failure: string | undefined
    try {
      await body()
    } catch (error) {
      failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    }
    console.log(JSON.stringify({ name, took: performance.now() - began, failure }))
  },
}
if (what === 'proxy') await checkProxy(run)
else {
  await checkClient(run)
  await checkFaults(run)
  if (what === 'node') await checkNode(run, JSON.parse(facts) as NodeFacts)
  else await checkReggie(run)
}
