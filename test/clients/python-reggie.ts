/** Reggie for Python itself (`opencontainers` from PyPI), doing its own tutorial: see `python-reggie.py`. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.ts'
import { generatedBytes } from './generated-data.ts'
import type { Client } from './harness.ts'
import { pythonWithClients } from './python-venv.ts'

export const pythonReggie: Client = {
  name: 'python-reggie',
  modes: ['relative', 'absolute'],
  async run({ check, step, url, mode, workDir, signal, log }) {
    const python = await pythonWithClients(signal, log)
    const file = join(workDir, 'container.sif')
    await writeFile(file, generatedBytes(786_432, 'python reggie'))
    const script = join(import.meta.dirname, 'python-reggie.py')
    const { code, stdout, stderr } = await run(python, [script, url, mode, file], { signal, exitCodes: [0, 1] })
    const lines = stdout.trim().split('\n')
    for (const line of lines) {
      if (line.startsWith('ok ')) await check(line.slice('ok '.length), () => {})
    }
    await step('comes to the end of its tutorial', () => {
      if (code !== 0 || lines.at(-1) !== 'done') throw new Error(`after "${lines.at(-1)}":\n${stderr}`)
    })
  },
}
