/** crane: images and indexes to and from layouts, copies by mount, appended layers, changed annotations, its own validation. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, run } from './command.ts'
import { sha256 } from './generated-data.ts'
import { installGoTool } from './go-tool.ts'
import type { Client } from './harness.ts'
import { foreignPlatform, hostPlatform, OciLayout, readLayoutIndex } from './oci-layout.ts'

export const craneTool = {
  name: 'crane',
  package: 'github.com/google/go-containerregistry/cmd/crane',
  version: 'v0.22.1',
}

export const crane: Client = {
  name: 'crane',
  modes: ['relative', 'absolute'],
  async run({ check, step, host, workDir, signal, repository, log }) {
    const program = await installGoTool(craneTool, signal, log)
    const options = { cwd: workDir, env: { DOCKER_CONFIG: workDir }, signal }
    const call = async (...args: string[]) => (await run(program, [...args, '--insecure'], options)).stdout.trim()
    const name = `${host}/${repository('image')}`
    const other = `${host}/${repository('copied')}`

    const single = new OciLayout(join(workDir, 'single'))
    const image = await single.writeImage(hostPlatform, { hello: 'hello from crane\n', 'usr/world': 'world\n' })
    await single.finish({ one: image })
    const several = new OciLayout(join(workDir, 'several'))
    const platforms = [
      await several.writeImage(hostPlatform, { hello: 'hello from one platform\n' }),
      await several.writeImage(foreignPlatform, { hello: 'hello from another\n' }),
    ]
    const index = await several.writeIndex(platforms)
    await several.finish({ many: index })

    await step('pushes an image from a layout', async () => {
      await call('push', single.directory, `${name}:one`)
      equal(await call('digest', `${name}:one`), image.digest)
    })
    await check('finds it well formed', async () => {
      await call('validate', '--remote', `${name}:one`)
    })
    await step('pushes an index from a layout', async () => {
      await call('push', several.directory, `${name}:many`)
      equal(await call('digest', `${name}:many`), index.digest)
      equal(sha256(await call('manifest', `${name}:many`)), index.digest)
    })
    await check('pulls the index into a layout', async () => {
      await call('pull', '--format', 'oci', `${name}:many`, 'pulled')
      const digests = (await readLayoutIndex(join(workDir, 'pulled'))).map(({ digest }) => digest)
      deepEqual(digests, [index.digest])
    })
    await check('picks a platform of the index', async () => {
      const platform = `${foreignPlatform.os}/${foreignPlatform.architecture}`
      equal(await call('digest', '--platform', platform, `${name}:many`), platforms[1]?.digest)
      const config: { readonly architecture: string } = JSON.parse(
        await call('config', '--platform', platform, `${name}:many`),
      )
      equal(config.architecture, foreignPlatform.architecture)
    })
    await check('exports the files of an image', async () => {
      await call('export', `${name}:one`, 'files.tar')
      const { stdout } = await run(findProgram('tar'), ['-xOf', 'files.tar', 'hello'], options)
      equal(stdout, 'hello from crane\n')
    })
    await check('copies an index to another repository by mounting its blobs', async () => {
      const { stderr } = await run(program, ['copy', `${name}:many`, `${other}:many`, '--insecure'], options)
      // A config and a layer for each of the two platforms.
      equal(stderr.match(/mounted blob: sha256:/g)?.length, 4, stderr)
      equal(await call('digest', `${other}:many`), index.digest)
      await call('validate', '--remote', `${other}:many`)
    })
    await check('tags and lists the tags', async () => {
      await call('tag', `${name}:one`, 'again')
      equal(await call('digest', `${name}:again`), image.digest)
      deepEqual((await call('ls', name)).split('\n').toSorted(), ['again', 'many', 'one'])
    })
    await check('appends a layer', async () => {
      await mkdir(join(workDir, 'more'))
      await writeFile(join(workDir, 'more', 'appended'), 'appended\n')
      await run(findProgram('tar'), ['-C', 'more', '-cf', 'more.tar', 'appended'], options)
      await call('append', '--base', `${name}:one`, '--new_layer', 'more.tar', '--new_tag', `${name}:appended`)
      await call('export', `${name}:appended`, 'appended.tar')
      const { stdout } = await run(findProgram('tar'), ['-tf', 'appended.tar'], options)
      ok(stdout.includes('appended') && stdout.includes('hello'), stdout)
    })
    await check('changes an annotation', async () => {
      await call('mutate', '--annotation', 'org.example.note=changed', '--tag', `${name}:noted`, `${name}:one`)
      match(await call('manifest', `${name}:noted`), /"org\.example\.note":\s?"changed"/)
    })
    await check('lists the repositories', async () => {
      const repositories = (await call('catalog', host)).split('\n')
      ok(repositories.includes(repository('image')), repositories.join(' '))
    })
    await check('deletes a manifest by digest', async () => {
      await call('delete', `${other}@${index.digest}`)
      const { stderr } = await run(program, ['digest', `${other}:many`, '--insecure'], { ...options, exitCodes: [1] })
      match(stderr, /MANIFEST_UNKNOWN|404/)
      equal(await call('digest', `${name}:many`), index.digest)
    })
  },
}
