import { attach as attachTo } from '@stowage/client'
import { defineCommand } from '../command-line/define.ts'
import { artifactInputOptions, openArtifactInput } from './artifact-input.ts'
import { copiedValue, finishCopy } from './copied.ts'
import { openReference } from './open-image.ts'
import { platformOption } from './platform-option.ts'

export const attach = defineCommand({
  usage: '<reference> [files...]',
  arguments: {
    reference: 'what they are about, in a registry, a layout or an archive',
    files: 'files and directories, each with :media/type behind it if it has one; - is stdin',
  },
  about: 'Pushes files as an artifact about an image: an SBOM, a signature, a report. It is found by stowage discover.',
  options: { ...artifactInputOptions, platform: platformOption },
  sides: 'one',
  resume: 'Run the same command again to go on: what arrived is not sent again.',
  examples: [
    ['stowage attach localhost:5000/app:v1 sbom.json --artifact-type application/spdx+json', 'an SBOM'],
    [
      'stowage attach localhost:5000/app:v1 --artifact-type application/vnd.acme.approval -a com.example.by=me',
      'no file at all',
    ],
    ['stowage attach --platform linux/arm64 localhost:5000/app:v1 report.txt:text/plain', 'about one platform'],
  ],
  async run({ args: [reference, files], options, ...tools }) {
    const { connect, keep, shared, output, call } = tools
    const { platform, ...input } = options
    await using opened = await openArtifactInput(files, input, tools)
    const client = await connect(reference)
    const { target } = await client.target(reference)
    keep(target)
    const { source, reference: name } = await client.source(reference)
    keep(source)
    const { descriptor: subject } =
      platform === undefined
        ? { descriptor: await target.resolve(name, call) }
        : await openReference(client, reference, platform, call)
    const { concurrency } = shared
    const job = attachTo(target, subject, {
      ...opened.parts,
      signal: call.signal,
      ...(concurrency === undefined ? {} : { concurrency }),
    })
    const result = await finishCopy(job, target, tools)
    output.line(`attached to ${target.name}@${subject.digest}`)
    const value = { ...copiedValue(target, [], result), artifactType: opened.parts.artifactType ?? null, subject }
    await output.result(value, `${target.name}@${result.root.digest}`)
  },
})
