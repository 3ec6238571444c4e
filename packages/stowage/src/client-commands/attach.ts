import { attach as attachTo } from '@stowage/client'
import { defineCommand } from '../command-line/define.ts'
import { artifactInputOptions, openArtifactInput } from './artifact-input.ts'
import { copiedValue, finishCopy } from './copied.ts'
import { openReference } from './open-image.ts'
import { checkOrder } from './order.ts'
import { platformOption } from './platform-option.ts'
import { resumeSending } from './resume-sending.ts'

export const attach = defineCommand({
  usage: '<reference> [files...]',
  arguments: {
    reference: 'what they are about, in a registry, a layout or an archive',
    files: 'files and directories, each with :media/type behind it if it has one; - is stdin',
  },
  about: 'Pushes files as an artifact about an image: an SBOM, a signature, a report. It is found by stowage discover.',
  options: { ...artifactInputOptions, platform: platformOption },
  sides: 'one',
  resume: resumeSending(0),
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
    checkOrder('attach', reference, files)
    await using opened = await openArtifactInput(files, input, tools)
    const client = await connect(reference)
    const { target } = await client.target(reference)
    keep(target)
    const { source, reference: name } = await client.source(reference)
    keep(source)
    const { descriptor: subject } =
      platform === undefined
        ? { descriptor: await target.resolve(name, { ...call, fresh: true }) }
        : await openReference(client, reference, platform, tools)
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
