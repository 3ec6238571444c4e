#!/usr/bin/env node
// Nothing is imported before the version was looked at: what is imported may not even load in an older Node.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`stowage: this is Node ${process.versions.node}; Stowage needs 24.15 or newer.\n`)
  process.exitCode = 70
} else {
  // Files, fsync above all, are waited for in a pool of threads: Node's four would be all asleep in a few pushes.
  process.env['UV_THREADPOOL_SIZE'] ??= '16'
  const { run } = await import('./cli.ts')
  await run(process.argv.slice(2), process.env)
}
