import { readdirSync } from 'node:fs'
import { createTestRegistry, hangAfterRequest, startMisbehavingRegistry } from '@stowage/testkit'
import { expect, test } from 'vitest'
import { start } from '../testing/command.ts'
import { pushImage, sampleImage } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

test.each([
  'cp FROM/app:v1 TO/copy:v1',
  'sync FROM/app TO/copy',
  'validate FROM/app:v1',
  'pull FROM/app:v1 app.tar',
  'artifact pull FROM/app:v1 -o .',
])('at Ctrl-C %s ends, leaves nothing half done, and says how to go on', async (line) => {
  await using directory = await temporaryDirectory()
  await using from = await startMisbehavingRegistry()
  await using to = await createTestRegistry()
  await pushImage(from.url, 'app', sampleImage('one'), 'v1')
  const isArtifact = line.startsWith('artifact')
  // The files of an artifact have titles; what they hold makes no difference here.
  if (isArtifact) await titleLayer(from.url)
  from.on({ method: 'GET', path: /blobs/ }, hangAfterRequest())
  const argv = line.replace('FROM', from.host).replace('TO', to.host).split(' ')
  await using command = start(argv, { cwd: directory.path, env: { HOME: directory.path } })
  await expect.poll(() => from.seen({ method: 'GET', path: /blobs/ }).length, { timeout: 30_000 }).toBeGreaterThan(0)
  command.process.kill('SIGINT')
  const { code, stdout, stderr } = await command.ended
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
  expect(stderr).toMatch(/stowage: Stopped\. Run the same command again/)
  expect(readdirSync(directory.path)).toEqual([])
})

const titleLayer = async (url: string): Promise<void> => {
  const { manifest } = sampleImage('one')
  const value = JSON.parse(manifest) as { layers: object[] }
  const layers = value.layers.map((layer) => ({ ...layer, annotations: { 'org.opencontainers.image.title': 'a' } }))
  const { status } = await fetch(`${url}/v2/app/manifests/v1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    body: JSON.stringify({ ...value, layers }),
  })
  if (status !== 201) throw new Error(`the manifest answered ${status}`)
}
