/** oras: artifacts of plain files, referrers attached to them, copies with their referrers, single blobs and manifests. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.ts'
import { generatedBytes, sha256 } from './generated-data.ts'
import { installGoTool } from './go-tool.ts'
import type { Client } from './harness.ts'

export const orasTool = { name: 'oras', package: 'oras.land/oras/cmd/oras', version: 'v1.3.6' }
const types = { report: 'application/vnd.example.report', signature: 'application/vnd.example.signature' }

interface Referrers {
  readonly referrers: readonly { readonly digest: string; readonly artifactType: string }[]
}

export const oras: Client = {
  name: 'oras',
  modes: ['relative', 'absolute'],
  async run({ check, step, host, workDir, signal, repository, log }) {
    const program = await installGoTool(orasTool, signal, log)
    const call = async (...args: string[]) => {
      const options = { cwd: workDir, env: { DOCKER_CONFIG: workDir }, signal }
      return (await run(program, args, options)).stdout.trim()
    }
    const name = `${host}/${repository('artifact')}`
    const other = `${host}/${repository('copied')}`
    const data = generatedBytes(300_000, 'oras')
    await writeFile(join(workDir, 'report.txt'), 'all is well\n')
    await writeFile(join(workDir, 'data.bin'), data)
    await writeFile(join(workDir, 'signature'), 'signed\n')
    const descriptorOf = async (...args: string[]) => {
      const descriptor: { readonly digest: string } = JSON.parse(await call(...args))
      return descriptor
    }
    const referrersOf = async (reference: string, ...args: string[]) => {
      const answer: Referrers = JSON.parse(
        await call('discover', '--plain-http', '--format', 'json', ...args, reference),
      )
      return answer.referrers
    }

    const digest = await step('pushes an artifact of two files', async () => {
      const files = ['report.txt:text/plain', 'data.bin:application/octet-stream']
      const push = ['push', '--plain-http', '--artifact-type', types.report, '--format', 'json']
      return (await descriptorOf(...push, `${name}:one`, ...files)).digest
    })
    await check('pulls them back', async () => {
      await call('pull', '--plain-http', '--output', 'pulled', `${name}:one`)
      equal(await readFile(join(workDir, 'pulled', 'report.txt'), 'utf8'), 'all is well\n')
      ok(data.equals(await readFile(join(workDir, 'pulled', 'data.bin'))))
    })
    await check('resolves the tag to the digest', async () => {
      equal(await call('resolve', '--plain-http', `${name}:one`), digest)
    })
    const attached = await step('attaches a referrer', async () => {
      const attach = ['attach', '--plain-http', '--artifact-type', types.signature, '--format', 'json']
      return (await descriptorOf(...attach, `${name}:one`, 'signature:text/plain')).digest
    })
    await check('discovers it, with and without a filter', async () => {
      const expected = [[attached, types.signature]]
      deepEqual(facts(await referrersOf(`${name}:one`)), expected)
      deepEqual(facts(await referrersOf(`${name}:one`, '--artifact-type', types.signature)), expected)
      deepEqual(await referrersOf(`${name}:one`, '--artifact-type', types.report), [])
    })
    await check('tags it again and lists the tags', async () => {
      await call('tag', '--plain-http', `${name}:one`, 'two', 'three')
      // No tag of the referrers tag schema among them: the referrer went through the referrers API.
      const tags = await call('repo', 'tags', '--plain-http', name)
      deepEqual(tags.split('\n').toSorted(), ['one', 'three', 'two'])
    })
    await check('copies the artifact and its referrers to another repository', async () => {
      await call('cp', '--recursive', '--from-plain-http', '--to-plain-http', `${name}:one`, `${other}:one`)
      equal(await call('resolve', '--plain-http', `${other}:one`), digest)
      deepEqual(
        (await referrersOf(`${other}:one`)).map((entry) => entry.digest),
        [attached],
      )
    })
    await check('copies it to an OCI layout and back', async () => {
      await call('cp', '--recursive', '--from-plain-http', '--to-oci-layout', `${name}:one`, 'layout:one')
      await call('cp', '--recursive', '--from-oci-layout', '--to-plain-http', 'layout:one', `${other}:back`)
      equal(await call('resolve', '--plain-http', `${other}:back`), digest)
    })
    await check('lists both repositories', async () => {
      const repositories = (await call('repo', 'ls', '--plain-http', host)).split('\n')
      ok(repositories.includes(repository('artifact')), repositories.join(' '))
      ok(repositories.includes(repository('copied')), repositories.join(' '))
    })
    await check('pushes, fetches and deletes a single blob', async () => {
      const blob = `${name}@${sha256('signed once more\n')}`
      await writeFile(join(workDir, 'blob'), 'signed once more\n')
      await call('blob', 'push', '--plain-http', blob, 'blob')
      equal(await call('blob', 'fetch', '--plain-http', '--output', '-', blob), 'signed once more')
      await call('blob', 'delete', '--plain-http', '--force', blob)
      await isGone('blob', 'fetch', '--plain-http', '--descriptor', blob)
    })
    await check('deletes the referrer, which is then not discovered', async () => {
      await call('manifest', 'delete', '--plain-http', '--force', `${name}@${attached}`)
      deepEqual(await referrersOf(`${name}:one`), [])
    })
    await check('deletes the artifact', async () => {
      await call('manifest', 'delete', '--plain-http', '--force', `${name}@${digest}`)
      await isGone('manifest', 'fetch', '--plain-http', '--descriptor', `${name}:one`)
      // The copy in the other repository is not touched.
      equal(await call('resolve', '--plain-http', `${other}:one`), digest)
    })

    async function isGone(...args: string[]): Promise<void> {
      const { stderr } = await run(program, args, { env: { DOCKER_CONFIG: workDir }, signal, exitCodes: [1] })
      ok(/not found/i.test(stderr), stderr)
    }
  },
}

const facts = (list: Referrers['referrers']) => list.map((entry) => [entry.digest, entry.artifactType])
