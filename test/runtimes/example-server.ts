/** Starts an example as its own comment says to, on a free port, and waits until it has printed where it is. */
import { mkdtemp, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { start } from '../clients/command.ts'
import { waitUntil } from '../clients/loopback.ts'
import { repositoryRoot } from '../clients/stowage-server.ts'

export interface ExampleServer extends AsyncDisposable {
  /** As the example printed it: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** Ends it as Ctrl-C or an operator does. Resolves with the exit code. */
  stop(): Promise<number>
  output(): Promise<string>
}

/**
 * @param program The runtime, and what it must be told before the file.
 * @param directory Becomes the working directory: the examples keep `./data` in it.
 * @param env Added to the environment.
 */
export async function startExample(
  name: string,
  [program, ...args]: readonly [string, ...string[]],
  directory: string,
  signal: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<ExampleServer> {
  const logFile = join(await mkdtemp(join(directory, 'log-')), `${name}.log`)
  const file = join(repositoryRoot, 'examples', name, 'server.ts')
  const server = start(program, [...args, file, '0'], { cwd: directory, logFile, env })
  const printed = async (): Promise<string | undefined> => {
    if ((await stat(logFile)).size === 0) return undefined
    return /^http:\/\/127\.0\.0\.1:\d+$/m.exec(await readFile(logFile, 'utf8'))?.[0]
  }
  const stop = async (): Promise<number> => {
    await server.stop()
    return server.ended
  }
  try {
    await waitUntil(`examples/${name}/server.ts`, async () => (await printed()) !== undefined, server, signal)
    const url = await printed()
    if (url === undefined) throw new Error('What the example printed is gone.')
    return {
      url,
      stop,
      output: async () => server.output(),
      [Symbol.asyncDispose]: async () => {
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}
