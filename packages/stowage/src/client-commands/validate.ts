import { type Finding, parsePlatform, type Source, validate as validateImage } from '@stowage/client'
import { defineCommand } from '../command-line/define.ts'
import { flag, text, texts } from '../command-line/option-kinds.ts'
import { escapeControls } from '../config/show.ts'
import { type Failure, StowageError } from '../failure.ts'
import { approximately } from '../terminal/bytes.ts'
import type { Progress } from '../terminal/progress.ts'
import { openImageFile } from './image-file.ts'

export const validate = defineCommand({
  usage: '[reference]',
  arguments: { reference: 'an image or artifact in a registry, a layout or an archive' },
  about:
    'Looks whether an image is whole: every manifest and config is well-formed, every blob is there and has the bytes of its digest, and every layer has inside what the config says.',
  options: {
    fast: flag('--fast', 'do not read layers: only see that they are there, and as long as they must be'),
    platform: texts('--platform <platform>', 'only os/arch[/variant] of an index; may be repeated'),
    remote: text('--remote <reference>', 'crane: the reference', { hidden: true }),
    tarball: text('--tarball <path>', 'crane: a file in place of a reference', { hidden: true }),
  },
  sides: 'one',
  examples: [
    ['stowage validate localhost:5000/app:v1', 'reads every byte'],
    ['stowage validate --fast localhost:5000/app:v1', 'asks only'],
    ['stowage validate oci-archive:app.tar', 'a file'],
  ],
  notes:
    'Exit codes: 7 when bytes are not those of their digest, 3 when something is missing, 1 for everything else that is wrong.',
  async run({ args: [given], options, ...tools }) {
    const { connect, keep, output, progress, call, shared } = tools
    const places = [given, options.remote, options.tarball].filter((place) => place !== undefined)
    const [place, ...others] = places
    if (place === undefined || others.length > 0)
      throw new StowageError('usage', 'Say what to validate: one reference.')
    const platforms = options.platform.map(parsePlatform)
    const client = await connect(...(options.tarball === undefined ? [place] : []))
    const { source, reference } =
      options.tarball === undefined
        ? await client.source(place)
        : { source: await openImageFile(options.tarball, undefined, tools), reference: '' }
    keep(source)
    const { concurrency } = shared
    const findings: Finding[] = []
    let bytes = 0
    const found = validateImage(watched(source, progress), reference, {
      ...call,
      fast: options.fast,
      platforms,
      ...(concurrency === undefined ? {} : { concurrency }),
    })
    for await (const finding of found) {
      findings.push(finding)
      const isShown = finding.severity === 'ok' && (finding.role === 'layer' || finding.role === 'blob')
      if (!isShown) progress.done(finding.descriptor.digest, '', true)
      if (finding.severity !== 'ok') continue
      bytes += finding.descriptor.size
      if (!isShown) continue
      // One that was not read has not begun.
      progress.begin(finding.descriptor.digest, finding.descriptor.size)
      progress.done(finding.descriptor.digest, options.fast ? 'there' : 'right')
    }
    const problems = findings.filter(({ severity }) => severity === 'problem')
    const wrong = findings.filter(({ severity }) => severity !== 'ok')
    const parts = findings.filter(({ severity, role }) => severity === 'ok' && role !== 'subject').length
    const good = `${place} is ${options.fast ? 'there' : 'valid'}: ${parts} ${parts === 1 ? 'part' : 'parts'}, ${approximately(bytes)}`
    await output.result(
      { reference: place, valid: problems.length === 0, fast: options.fast, bytes, findings },
      [...wrong.map(describe), ...(problems.length === 0 ? [good] : [])].join('\n'),
    )
    if (problems.length > 0) throw failureOf(place, problems)
  },
})

/** The same source, of which it is shown how far blobs are read. */
const watched = (source: Source, progress: Progress): Source => ({
  ...source,
  async *getBlob(descriptor, options) {
    const { digest, size } = descriptor
    progress.begin(digest, size)
    progress.move(digest, 0)
    let read = 0
    for await (const chunk of source.getBlob(descriptor, options)) {
      read += chunk.byteLength
      progress.move(digest, read)
      yield chunk
    }
  },
})

const describe = (finding: Finding): string => {
  const { role, descriptor, where } = finding
  const what = where === '' ? role : where
  if (finding.severity === 'ok') return ''
  const { severity, code, message } = finding
  // What an index calls its platforms, and a manifest its members, must not make lines that look like findings.
  return [`${severity.padEnd(8)} ${code.padEnd(12)} ${what}  ${descriptor.digest}`, `  ${message}`]
    .map(escapeControls)
    .join('\n')
}

const failureOf = (place: string, problems: readonly Finding[]): StowageError => {
  const codes = new Set(problems.map((problem) => (problem.severity === 'ok' ? '' : problem.code)))
  const failure: Failure = codes.has('damaged') ? 'digest-mismatch' : codes.has('missing') ? 'not-found' : 'failed'
  const count = problems.length === 1 ? 'One thing is' : `${problems.length} things are`
  return new StowageError(failure, `${count} wrong with ${place}.`, {
    hint: 'Push it again from where it is whole: stowage cp --force.',
  })
}
