/** A server that says nothing more and keeps the connection. Everything that hangs ends with the server. */
import { firstBytes } from './body-stream.ts'
import type { Behaviour } from './call.ts'
import { changing, type Outcome } from './reply.ts'

/** Takes the head of the request, reads no body, and never answers. */
export const hang = (): Behaviour => () => 'hang'

/** Lets the registry do as it was asked, and never answers. */
export const hangAfterRequest =
  (): Behaviour =>
  async (call, next): Promise<Outcome> => {
    await next(call)
    return 'hang'
  }

/** The answer stops after so many bytes of its body: 0 leaves only the head. */
export const hangBodyAfter = (bytes: number): Behaviour =>
  changing((answer) => ({ ...answer, body: firstBytes(answer.body, bytes), ending: 'hang' }))

/** The answer's head, and no byte of its body. */
export const hangAfterHead = (): Behaviour => hangBodyAfter(0)
