/** Reggie for Python does its tutorial with `WithUsernamePassword`: see `../python-reggie.py`. */
import { match } from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../command.ts'
import { generatedBytes } from '../generated-data.ts'
import { pythonWithClients } from '../python-venv.ts'
import type { AccountsClient, Login } from './test-accounts.ts'

const script = join(import.meta.dirname, '..', 'python-reggie.py')

export const pythonReggie: AccountsClient = {
  name: 'python-reggie',
  async run({ check, step, url, workDir, signal, log, accounts }) {
    const python = await pythonWithClients(signal, log)
    const file = join(workDir, 'container.sif')
    await writeFile(file, generatedBytes(786_432, 'python reggie'))
    const tutorial = async ({ name, password }: Login) =>
      run(python, [script, url, 'relative', file], {
        signal,
        exitCodes: [0, 1],
        env: { REGGIE_USERNAME: name, REGGIE_PASSWORD: password },
      })
    await step('comes to the end of its tutorial, 768 chunks and all', async () => {
      const { code, stdout, stderr } = await tutorial(accounts.dinosaur)
      const last = stdout.trim().split('\n').at(-1)
      if (code !== 0 || last !== 'done') throw new Error(`after "${last}":\n${stderr}`)
    })
    await check('is refused at its first request with a wrong password', async () => {
      const { stderr } = await tutorial(accounts.wrong)
      match(stderr, /401 is not 200/)
    })
    await check('is refused at its first push where nothing is allowed', async () => {
      const { stdout, stderr } = await tutorial(accounts.reader)
      match(stdout, /ok ping\n$/)
      match(stderr, /40[13] is not 202/)
    })
  },
}
