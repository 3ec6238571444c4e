import { isDigest } from '@stowage/oci'
import { defineCommand } from '../command-line/define.ts'
import { confirmDeletion, confirmOptions } from './confirm.ts'

export const rm = defineCommand({
  usage: '<reference>',
  arguments: { reference: 'a tag or digest in a registry, or in a layout' },
  about:
    'Deletes the manifest that a reference names, and with it every tag that names it too. To remove one tag and leave ' +
    'everything else, use stowage tag rm. Layers are left for the registry to collect.',
  options: confirmOptions,
  sides: 'one',
  examples: [
    ['stowage rm localhost:5000/app:v1', 'asks first, on a terminal'],
    ['stowage rm --force localhost:5000/app@sha256:…', 'does not ask'],
  ],
  async run({ args: [reference], options: { force }, connect, keep, output, prompt, call }) {
    const client = await connect(reference)
    const { target } = await client.target(reference)
    keep(target)
    const { source, reference: name } = await client.source(reference)
    keep(source)
    const { digest } = await target.resolve(name, call)
    const full = `${target.name}@${digest}`
    const others = isDigest(name) ? 'every tag that names it' : `"${name}" and every other tag that names it`
    await confirmDeletion(`Delete ${full} with ${others}?`, force, prompt)
    await target.deleteManifest(digest, call)
    await target.finish(call)
    await output.result({ reference: full, digest, deleted: true }, full)
  },
})
