import type { z } from 'zod'
import type { AccountOperation, accountOperations, OperationAnswer } from './account-operations.ts'

type Body<O extends AccountOperation> = z.output<(typeof accountOperations)[O]['body']>
type Traces = { readonly [O in AccountOperation]: Trace<O> | undefined }
type Trace<O extends AccountOperation> = (answer: OperationAnswer<O>, body: Body<O>) => object

/**
 * What the log says of each operation that changes something: of whom or what, and never a secret. Undefined: it only looks.
 * No member may have a name that the log takes for that of a secret, such as `token`.
 */
const traces: Traces = {
  'user-add': ({ name, administrator, groups }) => ({ user: name, administrator, groups }),
  'user-password': ({ name }) => ({ user: name }),
  'user-change': (_, { name, ...change }) => ({ user: name, ...change }),
  'user-remove': ({ removed }) => ({ user: removed }),
  'user-list': undefined,
  'token-add': ({ token: { id, user, label } }) => ({ id, user, label }),
  'token-list': undefined,
  'token-remove': ({ removed }) => ({ id: removed }),
  'rule-add': (rule) => ({ ...rule }),
  'rule-list': undefined,
  'rule-remove': ({ removed }) => ({ id: removed }),
  explain: undefined,
  'issuer-add': ({ name, issuer }) => ({ name, issuer }),
  'issuer-list': undefined,
  'issuer-remove': ({ removed }) => ({ name: removed }),
  'key-list': undefined,
  'key-rotate': ({ id }, { revoke = false }) => ({ id, revoke }),
}

/** What the log shall say of an operation that was done; undefined when it changed nothing. */
export const traceOf = (name: AccountOperation, answer: object, body: unknown): object | undefined =>
  (traces[name] as ((answer: object, body: unknown) => object) | undefined)?.(answer, body)
