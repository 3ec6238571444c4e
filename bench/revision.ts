import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const bench = fileURLToPath(new URL('.', import.meta.url))

/** What was measured: the commit, and whether the packages differ from it. */
export function commit(): string {
  const changed = git('status', '--porcelain', '--', '../packages') !== ''
  return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: bench, encoding: 'utf8' }).trim()
}
