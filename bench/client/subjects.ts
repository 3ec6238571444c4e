import { fileURLToPath } from 'node:url'
import { versionOf } from '../child.ts'

const program = fileURLToPath(new URL('../../packages/stowage/dist/main.js', import.meta.url))

/** A place as the commands are told of it: `127.0.0.1:5000`, and a repository. */
export interface Repository {
  readonly host: string
  readonly repository: string
}

/** A client that copies: how it is told to. */
export interface Subject {
  readonly name: string
  readonly setup: string
  readonly version: () => string | undefined
  /** The command that copies one image, whatever it has. */
  readonly copy: (from: Repository, tag: string, to: Repository) => readonly [string, ...string[]]
  /** The command that copies every tag of a repository. The target's repository ends with the name of the source's. */
  readonly sync: (from: Repository, to: Repository) => readonly [string, ...string[]]
}

const reference = ({ host, repository }: Repository): string => `${host}/${repository}`

export const stowage: Subject = {
  name: 'stowage',
  setup: 'stowage cp SOURCE TARGET, and stowage sync SOURCE TARGET, both with their defaults, from dist',
  version: () => versionOf(process.execPath, [program, '--version']),
  copy: (from, tag, to) => [process.execPath, program, 'cp', `${reference(from)}:${tag}`, `${reference(to)}:${tag}`],
  sync: (from, to) => [process.execPath, program, 'sync', reference(from), reference(to)],
}

export const skopeo: Subject = {
  name: 'skopeo',
  setup:
    "Debian's package: skopeo --insecure-policy copy --all --src-tls-verify=false --dest-tls-verify=false docker://SOURCE docker://TARGET, " +
    'and skopeo --insecure-policy sync --all --src docker --dest docker (the same flags), with their defaults besides',
  version: () => versionOf('skopeo', ['--version']),
  copy: (from, tag, to) => [
    'skopeo',
    '--insecure-policy',
    'copy',
    '--all',
    ...plain,
    `docker://${reference(from)}:${tag}`,
    `docker://${reference(to)}:${tag}`,
  ],
  sync: (from, to) => [
    'skopeo',
    '--insecure-policy',
    'sync',
    '--all',
    '--src',
    'docker',
    '--dest',
    'docker',
    ...plain,
    reference(from),
    // It puts the last part of the source's name behind the target itself.
    reference(to).replace(/\/[^/]+$/, ''),
  ],
}

const plain = ['--src-tls-verify=false', '--dest-tls-verify=false']

export const subjects: readonly Subject[] = [stowage, skopeo]
