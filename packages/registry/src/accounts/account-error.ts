export type AccountErrorCode = 'invalid' | 'unknown' | 'exists'

/** What a call of `Accounts` cannot do, in words for people. Never carries a secret. */
export class AccountError extends Error {
  override readonly name = 'AccountError'
  readonly code: AccountErrorCode
  /** The field that is wrong (`password`, `permissions[0].repositories`). */
  readonly field: string | undefined

  constructor(code: AccountErrorCode, message: string, field?: string) {
    super(message)
    this.code = code
    this.field = field
  }
}
