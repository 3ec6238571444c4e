/**
 * What is said after Ctrl-C by a command that sends: a registry keeps blobs that it has whole, an archive begins anew.
 *
 * @param at where among the arguments the target is; below zero from the end
 */
export const resumeSending =
  (at: number) =>
  (args: readonly unknown[]): string =>
    /^(?:oci|docker)-archive:/.test(String(args.flat().at(at)))
      ? 'Run the same command again. An archive begins anew: nothing of it is kept.'
      : 'Run the same command again to go on: finished blobs are not sent again.'
