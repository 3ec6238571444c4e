import type { PullCount, RegistryEvent } from '../metadata/event.ts'

/**
 * What a host program is told. The name of a receiver is how the registry remembers what it has delivered: keep it the same
 * from start to start.
 */
export interface Hooks {
  /**
   * Receivers of changes, by name. Each gets every event at least once, in order; one that throws gets the event again, later,
   * and holds up nobody but itself.
   */
  readonly receivers?: Readonly<Record<string, (event: RegistryEvent, signal: AbortSignal) => void | Promise<void>>>
  /** Told what was pulled, in batches some seconds apart; a crash may lose the last batch. */
  readonly pulled?: (pulls: readonly PullCount[]) => void | Promise<void>
}
