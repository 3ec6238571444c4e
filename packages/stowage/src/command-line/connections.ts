import type { Client, CredentialSource, TraceEvent } from '@stowage/client'
import {
  bothSidesOptions,
  fromOptions,
  networkOptions,
  type RegistrySettings,
  registryOptions,
  type SharedSettings,
  toOptions,
  type WireSettings,
} from './common-options.ts'
import type { CommandContext, Environment } from './context.ts'
import type { Parsed } from './parse.ts'
import type { Place } from './places.ts'
import type { Prompt } from './prompt.ts'

export interface ConnectionsOptions {
  readonly parsed: Parsed
  readonly environment: Environment
  readonly prompt: Prompt
  /** Told of what a person should know, and of the registry if that said it. */
  readonly onWarning: (text: string, registry?: string) => void
  readonly onTrace: ((event: TraceEvent) => void) | undefined
}

/** The clients of one command. They are made when they are asked for, and end with it. */
export interface Connections
  extends AsyncDisposable, Pick<CommandContext<[], object>, 'connect' | 'connectAs' | 'connectSides' | 'keep'> {
  readonly shared: SharedSettings
  /** Of a command with one side. */
  readonly settings: RegistrySettings
}

export const createConnections = ({ parsed, ...options }: ConnectionsOptions): Connections => {
  const opened = new AsyncDisposableStack()
  // Options that the command does not have are not given.
  const shared = parsed.read(networkOptions)
  const own = parsed.read(registryOptions)

  const open = async (
    places: readonly Place[],
    settings: RegistrySettings,
    credentials?: CredentialSource,
  ): Promise<Client> => {
    // Only now: what speaks to registries is a lot to load, and a wrong option is told without it.
    const { connectTo } = await import('./connect.ts')
    return opened.use(await connectTo(places, { ...options, settings, shared, credentials }))
  }

  return {
    shared,
    settings: own,
    keep: (disposable) => opened.use(disposable),
    connect: async (...places) => open(places, own),
    connectAs: async (credentials, ...places) => open(places, own, credentials),
    async connectSides(from, to) {
      const both = parsed.read(bothSidesOptions)
      const fromSide = mergeSides(both, parsed.read(fromOptions))
      const toSide = mergeSides(both, parsed.read(toOptions))
      if (JSON.stringify(fromSide) === JSON.stringify(toSide)) {
        const client = await open([from, to].flat(), fromSide)
        return { from: client, to: client }
      }
      return { from: await open([from].flat(), fromSide), to: await open([to].flat(), toSide) }
    },
    [Symbol.asyncDispose]: async () => opened.disposeAsync(),
  }
}

/** What is said of one side goes before what is said of both. */
const mergeSides = (both: WireSettings, side: RegistrySettings): RegistrySettings => ({
  ...side,
  plainHttp: side.plainHttp ?? both.plainHttp,
  insecure: side.insecure || both.insecure,
  tlsVerify: side.tlsVerify ?? both.tlsVerify,
  caFile: side.caFile ?? both.caFile,
  certFile: side.certFile ?? both.certFile,
  keyFile: side.keyFile ?? both.keyFile,
  registryConfigs: side.registryConfigs.length > 0 ? side.registryConfigs : both.registryConfigs,
})
