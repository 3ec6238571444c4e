/**
 * Looks at every published package as npm would pack it: whether its exports lead somewhere, whether its types are found,
 * whether it depends on something with an install script. Run after `tsc -b`.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const bin = (name: string): string => join('node_modules', '.bin', name)

const { workspaces } = JSON.parse(await readFile('package.json', 'utf8')) as { workspaces: string[] }
const failures: string[] = []

for (const directory of workspaces) {
  // One at a time keeps the output in order.
  const scratch = await mkdtemp(join(tmpdir(), 'stowage-pack-'))
  try {
    const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], {
      cwd: directory,
    })
    const [entry] = JSON.parse(packed.stdout) as { filename: string }[]
    if (entry === undefined) throw new Error(`npm packed nothing of ${directory}`)
    const tarball = join(scratch, entry.filename)
    await expectSuccess(directory, bin('publint'), ['run', tarball, '--strict'])
    await expectSuccess(directory, bin('attw'), [tarball, '--profile', 'esm-only', '--quiet'])
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
  packages: Record<string, { dev?: boolean; hasInstallScript?: boolean }>
}
for (const [path, { dev, hasInstallScript }] of Object.entries(lock.packages)) {
  if (hasInstallScript === true && dev !== true)
    failures.push(`${path} has an install script and is not a development tool`)
}

if (failures.length > 0) {
  console.error(failures.join('\n'))
  process.exit(1)
}
console.log(`${workspaces.length} packages look right`)

async function expectSuccess(directory: string, command: string, args: string[]): Promise<void> {
  try {
    await run(command, args)
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    failures.push(`${directory}: ${command} says:\n${stdout}${stderr}`)
  }
}
