/**
 * Whether a symbolic link could lead out of a directory, whatever other links are in it. `..` goes up only at its beginning:
 * later it would go up from wherever another link has led.
 *
 * @param depth How many directories are between that one and the link.
 */
export const leadsOut = (target: string, depth: number): boolean => {
  if (target === '' || target.startsWith('/') || /[\\\0]/.test(target) || /^[A-Za-z]:/.test(target)) return true
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const ups = parts.findIndex((part) => part !== '..')
  const up = ups === -1 ? parts.length : ups
  return up > depth || parts.slice(up).includes('..')
}
