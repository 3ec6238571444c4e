/** regctl: chunked uploads, tag-only delete, referrers, copies with them, single blobs, sha512. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.ts'
import { generatedBytes, sha256 } from './generated-data.ts'
import { installGoTool } from './go-tool.ts'
import type { Client } from './harness.ts'
import { foreignPlatform, hostPlatform, OciLayout } from './oci-layout.ts'

export const regctlTool = { name: 'regctl', package: 'github.com/regclient/regclient/cmd/regctl', version: 'v0.11.7' }
const artifactType = 'application/vnd.example.note'
/** Small enough that the image's layer of 300,000 bytes goes in five pieces. */
const chunk = 65_536

export const regctl: Client = {
  name: 'regctl',
  modes: ['relative', 'absolute'],
  async run({ check, step, host, workDir, signal, repository, log }) {
    const program = await installGoTool(regctlTool, signal, log)
    const options = {
      cwd: workDir,
      env: { REGCTL_CONFIG: join(workDir, 'regctl.json'), DOCKER_CONFIG: workDir },
      signal,
    }
    const call = async (...args: string[]) => (await run(program, args, options)).stdout.trim()
    const fails = async (...args: string[]) => (await run(program, args, { ...options, exitCodes: [1] })).stderr
    const name = `${host}/${repository('image')}`
    const other = `${host}/${repository('copied')}`

    const layout = new OciLayout(join(workDir, 'layout'))
    const image = await layout.writeImage(hostPlatform, { large: generatedBytes(300_000, 'regctl'), small: 'small\n' })
    const foreign = await layout.writeImage(foreignPlatform, { small: 'small, elsewhere\n' })
    const index = await layout.writeIndex([image, foreign])
    await layout.finish({ one: image, many: index })

    await step('is told that the registry speaks http, and reaches it', () =>
      call('registry', 'set', '--tls', 'disabled', host),
    )
    await step('pushes an index from a layout', async () => {
      await call('image', 'copy', `ocidir://${layout.directory}:many`, `${name}:many`)
      equal(await call('image', 'digest', `${name}:many`), index.digest)
    })
    await check('pushes blobs in chunks of 64 KiB', async () => {
      await call('registry', 'set', '--blob-max', String(chunk), '--blob-chunk', String(chunk), host)
      const data = generatedBytes(5 * chunk + 7, 'regctl chunks')
      await writeFile(join(workDir, 'chunked'), data)
      const put = ['blob', 'put', name]
      const { stdout } = await run(program, put, { ...options, input: data })
      equal(stdout.trim(), sha256(data))
      await call('image', 'copy', `ocidir://${layout.directory}:one`, `${other}:chunked`)
      await call('registry', 'set', '--blob-max', '-1', host)
      equal(await call('image', 'digest', `${other}:chunked`), image.digest)
    })
    await check('reads a blob', async () => {
      const { stdout } = await run(program, ['blob', 'put', name], { ...options, input: 'a single blob\n' })
      const digest = stdout.trim()
      equal(digest, sha256('a single blob\n'))
      equal(await call('blob', 'get', name, digest), 'a single blob')
    })
    await check('deletes a blob', async () => {
      const digest = sha256('a single blob\n')
      await call('blob', 'delete', name, digest)
      match(await fails('blob', 'head', name, digest), /not found|404/i)
    })
    await check('heads the manifest of one platform', async () => {
      const platform = `${foreignPlatform.os}/${foreignPlatform.architecture}`
      equal(await call('manifest', 'head', '--platform', platform, `${name}:many`), foreign.digest)
      equal(sha256(await call('manifest', 'get', '--format', 'raw-body', `${name}@${image.digest}`)), image.digest)
    })
    const note = await step('puts an artifact with a subject', async () => {
      await writeFile(join(workDir, 'note'), 'noted\n')
      const put = ['artifact', 'put', '--artifact-type', artifactType, '--file', 'note', '--subject', `${name}:many`]
      const digest = await call(...put, '--format', '{{.Manifest.GetDescriptor.Digest}}')
      match(digest, /^sha256:[0-9a-f]{64}$/)
      return digest
    })
    await check('lists it as a referrer and gets it', async () => {
      const list = ['artifact', 'list', '--format', '{{range .Descriptors}}{{println .Digest}}{{end}}']
      equal(await call(...list, '--filter-artifact-type', artifactType, `${name}:many`), note)
      equal(await call(...list, '--filter-artifact-type', `${artifactType}.other`, `${name}:many`), '')
      equal(await call('artifact', 'get', '--subject', `${name}:many`), 'noted')
    })
    await check('copies the index with its referrers to another repository', async () => {
      await call('image', 'copy', '--referrers', `${name}:many`, `${other}:many`)
      equal(await call('image', 'digest', `${other}:many`), index.digest)
      equal(await call('artifact', 'get', '--subject', `${other}:many`), 'noted')
    })
    await check('exports an image', async () => {
      await call('image', 'export', '--platform', 'local', `${other}:many`, 'exported.tar')
      ok((await readFile(join(workDir, 'exported.tar'))).length > 300_000)
    })
    await check('lists the tags page by page', async () => {
      await call('image', 'copy', `${name}:many`, `${name}:alpha`)
      await call('image', 'copy', `${name}:many`, `${name}:beta`)
      const tags = (...args: string[]) => call('tag', 'ls', ...args, name)
      const named = /^(alpha|beta|many)$/
      deepEqual(
        (await tags()).split('\n').filter((tag) => named.test(tag)),
        ['alpha', 'beta', 'many'],
      )
      equal(await tags('--limit', '1'), 'alpha')
      equal(await tags('--limit', '1', '--last', 'alpha'), 'beta')
    })
    await check('deletes one tag and leaves the manifest and the other tags', async () => {
      await call('tag', 'delete', `${name}:beta`)
      match(await fails('manifest', 'head', `${name}:beta`), /not found|404/i)
      equal(await call('image', 'digest', `${name}:alpha`), index.digest)
    })
    await check('lists the repositories', async () => {
      const repositories = (await call('repo', 'ls', host)).split('\n')
      ok(repositories.includes(repository('image')), repositories.join(' '))
    })
    await check('turns an image into one of sha512 digests', async () => {
      await call('image', 'mod', '--digest-algo', 'sha512', '--create', `${name}:sha512`, `${other}:chunked`)
      match(await call('image', 'digest', `${name}:sha512`), /^sha512:[0-9a-f]{128}$/)
    })
    await check('deletes a manifest by digest', async () => {
      await call('manifest', 'delete', `${other}@${index.digest}`)
      match(await fails('manifest', 'head', `${other}:many`), /not found|404/i)
    })
  },
}
