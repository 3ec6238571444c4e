import { type CallOptions, type Credential, isClientError } from '@stowage/client'
import type { CommandContext } from '../command-line/context.ts'
import { StowageError } from '../failure.ts'

export interface CheckOptions {
  readonly registry: string
  readonly credential: Credential
  readonly connectAs: CommandContext<[], object>['connectAs']
  readonly call: CallOptions
}

/**
 * Asks a registry whether a credential is right. One that lets everyone in does not look at it.
 *
 * @throws {StowageError} `unauthorized`; {ClientError}
 */
export const checkCredential = async ({
  registry,
  credential,
  connectAs,
  call,
}: CheckOptions): Promise<'accepted' | 'not wanted'> => {
  // A namespace has no address of its own: its registry is asked.
  const host = /^(?:https?:\/\/)?[^/]*/.exec(registry)?.[0] ?? registry
  let wanted = false
  const client = await connectAs(
    () => {
      wanted = true
      return credential
    },
    { registry: host },
  )
  try {
    await client.registry(host).ping(call)
  } catch (error) {
    if (!isClientError(error, 'unauthorized')) throw error
    throw new StowageError('unauthorized', error.message, {
      hint: 'Nothing was kept. Check the name and the password; some registries want a token in place of the password.',
      cause: error,
    })
  }
  return wanted ? 'accepted' : 'not wanted'
}
