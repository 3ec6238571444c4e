/**
 * The shortest part of a failing list that can be found to fail too: takes ever smaller runs of it away for as long as it fails.
 *
 * @param most How often it is tried at most.
 */
export const shrink = async <T>(
  list: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
  most = 400,
): Promise<readonly T[]> => {
  let best = list
  let tries = 0
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = best.length - size; at >= 0 && tries < most; at -= size) {
      const without = best.toSpliced(at, size)
      tries += 1
      if (await fails(without)) best = without
      at = Math.min(at, best.length)
    }
  }
  return best
}
