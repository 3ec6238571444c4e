import type { ObjectKey } from './objects.ts'

/** A change that the harness is about to ask for. */
export type Intent =
  /** An upload or a mount. */
  | { readonly kind: 'put-blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'delete-blob'; readonly repository: string; readonly digest: string }
  | {
      readonly kind: 'put-manifest'
      readonly repository: string
      readonly digest: string
      readonly tag?: string
      /** Blobs. */
      readonly needs: readonly string[]
      readonly subject?: string
    }
  | { readonly kind: 'delete-manifest'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'delete-tag'; readonly repository: string; readonly tag: string }

/** What the journal holds, a line each. From these alone it follows what a server may show. Times in milliseconds since 1970. */
export type JournalEvent =
  | { readonly type: 'intent'; readonly operation: number; readonly at: number; readonly intent: Intent }
  | { readonly type: 'outcome'; readonly operation: number; readonly outcome: Outcome }
  /** A server was started; whether it collects garbage. */
  | { readonly type: 'started'; readonly collecting: boolean }
  /** The server is gone: what had no answer never gets one, and changes nothing any more. */
  | { readonly type: 'cut'; readonly at: number }
  /** Looked at while nothing was under way. */
  | { readonly type: 'seen'; readonly key: ObjectKey; readonly value: string }
  /** An empty data directory takes the place of the one before. */
  | { readonly type: 'renewed' }

/** `refused`: the server said 4xx, which must change nothing. `unknown`: there was no answer, or a 5xx. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown'
