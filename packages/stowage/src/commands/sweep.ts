import { ask } from './ask.ts'
import type { CommandInput } from './input.ts'

/** `stowage sweep`: does now what the server does every half minute. */
export const sweepCommand = async (input: CommandInput, { json }: { readonly json: boolean }): Promise<void> => {
  const { answer } = await ask(input, 'sweep', async (registry) => registry.sweep())
  const { expiredUploads, deletedBlobs } = answer
  process.stdout.write(
    json
      ? `${JSON.stringify(answer, undefined, 2)}\n`
      : `Uploads that expired: ${expiredUploads}. Blobs that nothing refers to any more and that were deleted: ${deletedBlobs}.\n`,
  )
}
