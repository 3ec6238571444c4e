import { openSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'

const main = new URL('../main.ts', import.meta.url).pathname

describe.skipIf(process.platform !== 'linux')('a full disk behind stdout', () => {
  test.each(['completion bash', 'ls --help', 'manifest', '--help', '--version'])('%s says so', (line) => {
    const { status, stderr } = spawnSync(process.execPath, ['--conditions=@stowage/source', main, ...line.split(' ')], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'stowage: stdout: no space left on device.\n' })
  })
})
