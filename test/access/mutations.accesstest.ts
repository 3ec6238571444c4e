import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

/** In a process of its own: Node itself loads the copies of the registry, each with one rule less. */
it('each rule of the server, dropped once, is found', async () => {
  const program = join(import.meta.dirname, 'mutations.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  child.stdout.on('data', (text: Buffer) => output.push(text.toString()))
  child.stderr.on('data', (text: Buffer) => output.push(text.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  const lines = output.join('').split('\n')
  console.log(lines.findLast((line) => line.includes('mutations found')) ?? '')
  expect(lines.filter((line) => line !== '' && !line.startsWith('found '))).toEqual([
    expect.stringMatching(/^(\d+) of \1 mutations found/),
  ])
  expect(code).toBe(0)
})
