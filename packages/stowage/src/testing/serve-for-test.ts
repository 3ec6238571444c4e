import type { Logger } from '@stowage/registry'
import { serve, type ServeOptions, type Serving } from '../serve.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface TestServing extends AsyncDisposable {
  readonly serving: Serving
  readonly url: string
  readonly port: number
  readonly data: string
  readonly log: {
    readonly level: string
    readonly facts: Readonly<Record<string, unknown>>
    readonly message: string
  }[]
}

/** `serve()` on a free port, in a directory of its own, with a log that a test can read. */
export const serveForTest = async (options: ServeOptions = {}): Promise<TestServing> => {
  const directory = await temporaryDirectory()
  const log: TestServing['log'] = []
  const write = (level: string) => (facts: object, message: string) =>
    void log.push({ level, facts: { ...facts }, message })
  const logger: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  try {
    const serving = await serve({ address: '127.0.0.1:0', data: directory.path, logger, ...options })
    return {
      serving,
      url: serving.url,
      port: serving.address.port,
      data: directory.path,
      log,
      [Symbol.asyncDispose]: async () => {
        await serving.close(AbortSignal.abort())
        await directory[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await directory[Symbol.asyncDispose]()
    throw error
  }
}
