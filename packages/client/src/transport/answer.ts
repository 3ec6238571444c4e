/** What came back. Its body is read to the end, or left, by whoever asked; `discard` and `glance` do the latter. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Of the request that was answered: a relative Location is resolved against it. */
  readonly url: string
  readonly body: AsyncIterable<Uint8Array>
  /** Whether there is no body at all. */
  readonly empty: boolean
  /** The `Authorization` that was sent, where one was: whoever passes on what the answer says takes it out. */
  readonly shown?: string
  /**
   * All of it, which must be there within the time that an answer may take: for what is small.
   *
   * @param subject what it is, for messages
   * @throws {ClientError} `too-large`, `timeout`
   */
  bytes(limit: number, subject?: string): Promise<Uint8Array>
  /** The first bytes, as many as come soon: for what nobody depends on. Never fails. */
  glance(limit: number): Promise<Uint8Array>
  discard(): Promise<void>
}
