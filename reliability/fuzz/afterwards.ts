import { spawnSync } from 'node:child_process'
import { program } from '../../bench/servers/stowage.ts'
import { createHttpClient } from '../http.ts'
import { contentOf, imageOf, pushBlob, pushManifest } from '../image.ts'
import type { FuzzedServer } from './fuzzed-server.ts'
import { basicOf } from './token-grammar.ts'

/** Whether the server is as good as new: it works, it logged no defect, and what it stores is in order. Then it is stopped. */
export const checkAfterwards = async (server: FuzzedServer): Promise<string[]> => {
  const failures: string[] = []
  if (server.child.ended()) return [`${server.name}: the process died: ${server.child.complaint()}`]
  try {
    await pushAndPull(server)
  } catch (error) {
    failures.push(`${server.name}: no push or pull afterwards: ${String(error)}`)
  }
  await server.stop()
  const complaint = server.child.complaint()
  if (complaint !== '') failures.push(`${server.name}: logged errors: ${complaint.slice(-1000)}`)
  if (hasDoctor()) {
    const looked = spawnSync(process.execPath, [program, 'doctor', '--data', server.data], { encoding: 'utf8' })
    if (looked.status !== 0)
      failures.push(`${server.name}: the doctor found: ${(looked.stdout + looked.stderr).slice(0, 2000)}`)
  }
  return failures
}

const pushAndPull = async ({ url, account, token }: FuzzedServer): Promise<void> => {
  using plain = createHttpClient(url)
  const authorization =
    account === undefined || token === undefined
      ? {}
      : { authorization: basicOf({ name: account.name, password: token }) }
  const client = {
    ...plain,
    send: async (...[method, path, options = {}]: Parameters<typeof plain.send>) =>
      plain.send(method, path, { ...options, headers: { ...authorization, ...options.headers } }),
  }
  const image = imageOf('after the noise', [contentOf(Buffer.from('a layer after the noise'))])
  for (const blob of [image.config, ...image.layers]) {
    const { status } = await pushBlob(client, 'still/works', blob)
    if (status !== 201) throw new Error(`a blob was answered ${status}`)
  }
  const { status } = await pushManifest(client, 'still/works', 'latest', image.manifest)
  if (status !== 201) throw new Error(`a manifest was answered ${status}`)
  const pulled = await client.send('GET', '/v2/still/works/manifests/latest')
  if (!pulled.body.equals(image.manifest.bytes)) throw new Error(`a pull was answered ${pulled.status}, or other bytes`)
  for (const { digest, bytes } of image.layers) {
    const blob = await client.send('GET', `/v2/still/works/blobs/${digest}`)
    if (!blob.body.equals(bytes)) throw new Error(`a pull of a blob was answered ${blob.status}, or other bytes`)
  }
}

const hasDoctor = (): boolean =>
  /^ {2}doctor /m.test(spawnSync(process.execPath, [program, '--help'], { encoding: 'utf8' }).stdout)
