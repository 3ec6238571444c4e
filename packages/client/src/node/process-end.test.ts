import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import {
  cutUploadAfter,
  fail,
  hang,
  hangAfterHead,
  loseAnswer,
  loseRequest,
  startMisbehavingRegistry,
} from '@stowage/testkit'
import { expect, it } from 'vitest'

const program = join(import.meta.dirname, '..', 'testing', 'fail-and-end.ts')

it.each(['dispose', 'forget'])('a program ends by itself when all has failed (%s)', async (ending) => {
  await using server = await startMisbehavingRegistry()
  server.on({ path: /\/hang\// }, hang())
  server.on({ path: /\/cut\// }, loseAnswer())
  server.on({ path: /\/cut\/.*uploads/, method: 'PATCH' }, cutUploadAfter(1000))
  server.on({ path: /\/fail\// }, fail(500))
  server.on({ path: /\/reset\// }, loseRequest({ reset: true }))
  server.on({ path: /\/slow\// }, hangAfterHead())
  const child = spawn(process.execPath, ['--conditions=@stowage/source', program, server.host, ending], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text))
  }
  const [code] = (await once(child, 'close')) as [number | null]
  expect({ code, ...output }).toEqual({ code: 0, stdout: 'nothing more to do', stderr: '' })
})
