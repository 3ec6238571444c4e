/** Finding a port to serve on, and waiting until something serves there. */
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A TCP port that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port was given by the system'))
        else resolve(address.port)
      })
    })
  })
}

/**
 * Asks `ready` every 50 ms until it says yes. Rejects when `ended` (the program that is waited for) comes first, with what
 * it has written, or after `milliseconds`.
 */
export async function waitUntil(
  what: string,
  ready: () => Promise<boolean>,
  program: { readonly ended: Promise<number>; output(): Promise<string> },
  signal: AbortSignal,
  milliseconds = 30_000,
): Promise<void> {
  let exitCode: number | undefined
  void program.ended.then((code) => (exitCode = code))
  const deadline = performance.now() + milliseconds
  for (;;) {
    signal.throwIfAborted()
    if (exitCode !== undefined) throw new Error(`${what} ended with code ${exitCode}:\n${await program.output()}`)
    if (await ready()) return
    if (performance.now() > deadline) throw new Error(`${what} did not start:\n${await program.output()}`)
    await sleep(50)
  }
}
