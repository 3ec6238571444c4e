import type { CallOptions, Client, CredentialSource } from '@stowage/client'
import type { Output } from '../terminal/output.ts'
import type { Progress } from '../terminal/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { RegistrySettings, ServerSettings, SharedSettings } from './common-options.ts'
import type { Place } from './places.ts'
import type { Prompt } from './prompt.ts'

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What a command gets to work with. */
export interface CommandContext<A extends readonly unknown[], O> {
  /** What its `usage` names, in order. */
  readonly args: A
  /** The values of its own options. */
  readonly options: O
  /** What `--format` says, when that is one of the command's own words. */
  readonly format: string | undefined
  /** Options that every command has and that a command may want to know. */
  readonly shared: SharedSettings
  /** A client for these registries, with all that the command line says of them. It is disposed of when the command ends. */
  connect(...places: readonly Place[]): Promise<Client>
  /** The same, with these credentials and no other. */
  connectAs(credentials: CredentialSource, ...places: readonly Place[]): Promise<Client>
  /** Clients for both sides of a command that has two: one and the same, unless the command line tells them apart. */
  connectSides(
    from: Place | readonly Place[],
    to: Place | readonly Place[],
  ): Promise<{ readonly from: Client; readonly to: Client }>
  /** Has something disposed of when the command ends, however it does. */
  keep<T extends AsyncDisposable>(opened: T): T
  /** Results, on stdout, and what else there is to say, on stderr. */
  readonly output: Output
  /** Shows on stderr what is under way. */
  readonly progress: Progress
  /** Asks a person, where there is one. */
  readonly prompt: Prompt
  /** What the command line says of the registry, in a command with one side. */
  readonly registrySettings: RegistrySettings
  /** What it says of a registry of one's own, in a command about that. */
  readonly serverSettings: ServerSettings
  /** For every call of a client: ends it at Ctrl-C, and tells of retries. */
  readonly call: CallOptions & { readonly signal: AbortSignal }
  readonly terminal: Terminal
  readonly environment: Environment
}
