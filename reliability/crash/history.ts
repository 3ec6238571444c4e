import type { Intent, JournalEvent, Outcome } from './events.ts'
import type { Journal } from './journal.ts'
import { createModel, type Model } from './model.ts'

/** Everything that happens passes through here: into the journal, and into the model that is made of it. */
export interface History {
  readonly model: Model
  record(event: JournalEvent): void
  /** @returns the operation's number. */
  begin(intent: Intent): number
  end(operation: number, outcome: Outcome): void
}

export const createHistory = (journal: Journal, grace: number): History => {
  const model = createModel({ grace })
  let operations = 0
  const record: History['record'] = (event) => {
    model.apply(event)
    journal.append(event)
  }
  return {
    model,
    record,
    begin: (intent) => {
      operations += 1
      record({ type: 'intent', operation: operations, at: Date.now(), intent })
      return operations
    },
    end: (operation, outcome) => record({ type: 'outcome', operation, outcome }),
  }
}
