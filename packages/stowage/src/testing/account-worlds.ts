import { join } from 'node:path'
import { createRegistry } from '@stowage/registry'
import { onTestFinished } from 'vitest'
import { type ClientOptions, type ClientResult, runClientCommand } from './client-command.ts'
import { serveForTest } from './serve-for-test.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Runs a command about the registry of one world. */
export type Stowage = (argv: readonly string[], options?: ClientOptions) => Promise<ClientResult>

export const withoutServer = async (): Promise<Stowage> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  const data = join(directory.path, 'data')
  await (await createRegistry({ storage: data }))[Symbol.asyncDispose]()
  return async (argv, options) => runClientCommand([...argv, '--data', data], options)
}

const served = async (auth: boolean): Promise<Stowage> => {
  const started = await serveForTest({ auth })
  onTestFinished(async () => started[Symbol.asyncDispose]())
  return async (argv, options) => runClientCommand([...argv, '--data', started.data], options)
}

/** With a server, with one that lets everybody in, and with none: commands on accounts work all the same. */
export const worlds: Readonly<Record<string, () => Promise<Stowage>>> = {
  'no server': withoutServer,
  'a server with auth': async () => served(true),
  'a server without': async () => served(false),
}
