import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const program = join(import.meta.dirname, '..', 'testing', 'failing-job.ts')

const run = async (...args: readonly string[]): Promise<{ code: number | null; stderr: string }> => {
  const child = spawn(process.execPath, ['--conditions=@stowage/source', program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr }
}

const kinds = ['client', 'copy', 'artifact', 'sync']

describe('jobs that fail', () => {
  it.each(kinds)('are reported by the runtime when they are awaited, and their result is not: %s', async (kind) => {
    const { code, stderr } = await run('awaited', kind)
    expect({ code, isOurs: stderr.includes('ClientError') }).toEqual({ code: 1, isOurs: true })
  })

  it('are reported when they are forgotten', async () => {
    expect(await run('forgotten', 'copy')).toEqual({
      code: 1,
      stderr: expect.stringContaining('ClientError') as string,
    })
  })

  it.each(['iterated', 'left', 'caught'])('are not, when they are %s', async (how) => {
    expect(await run(how, ...kinds)).toEqual({ code: 0, stderr: '' })
  })
})
