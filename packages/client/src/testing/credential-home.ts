import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

/** A home directory with a `bin` in front of the `PATH`, in which nothing of the machine's own configuration is seen. */
export const createHome = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-home-'))
  const at = (...names: string[]): string => join(directory, ...names)
  const environment: Record<string, string> = {
    HOME: directory,
    USERPROFILE: directory,
    XDG_RUNTIME_DIR: at('run'),
    PATH: [at('bin'), process.env['PATH'] ?? ''].join(delimiter),
  }

  /** Writes a file; what is not a text, as JSON. */
  const write = async (name: string, content: unknown): Promise<string> => {
    await mkdir(dirname(at(name)), { recursive: true })
    await writeFile(at(name), typeof content === 'string' ? content : JSON.stringify(content))
    return at(name)
  }

  /** Installs `docker-credential-<name>`, a shell script. */
  const helper = async (name: string, script: string): Promise<void> => {
    await chmod(await write(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`), 0o755)
  }

  /** Installs a helper that keeps what it is given in a file, as the real ones do in a keychain. */
  const vault = async (name: string, content: Vault = {}) => {
    const file = await write(`${name}.json`, content)
    const program = await write(`${name}.cjs`, vaultProgram(file))
    await helper(name, `exec '${process.execPath}' '${program}' "$1"`)
    return {
      content: async () => JSON.parse(await readFile(file, 'utf8')) as Vault,
      /** What it was asked so far: `get registry.example`. */
      calls: async () => (await readFile(`${file}.calls`, 'utf8').catch(() => '')).split('\n').filter(Boolean),
    }
  }

  return {
    directory,
    environment,
    at,
    write,
    helper,
    vault,
    read: async (name: string) => readFile(at(name), 'utf8'),
    [Symbol.asyncDispose]: async () => rm(directory, { recursive: true }),
  }
}

export type Home = Awaited<ReturnType<typeof createHome>>

/** User name and secret by server. */
export type Vault = Record<string, readonly [string, string]>

const vaultProgram = (file: string): string => `
const fs = require('node:fs')
const action = process.argv[2]
const input = fs.readFileSync(0, 'utf8').trim()
const file = ${JSON.stringify(file)}
const content = JSON.parse(fs.readFileSync(file, 'utf8'))
const fail = () => {
  console.log('credentials not found in native keychain')
  process.exit(1)
}
const save = () => fs.writeFileSync(file, JSON.stringify(content))
const stored = action === 'store' ? JSON.parse(input) : undefined
const server = stored === undefined ? input : stored.ServerURL
fs.appendFileSync(file + '.calls', action + ' ' + server + '\\n')
if (action === 'list') {
  console.log(JSON.stringify(Object.fromEntries(Object.entries(content).map(([key, [user]]) => [key, user]))))
} else if (action === 'store') {
  content[server] = [stored.Username, stored.Secret]
  save()
} else {
  if (!Object.hasOwn(content, server)) fail()
  if (action === 'erase') {
    delete content[server]
    save()
  } else {
    const [Username, Secret] = content[server]
    console.log(JSON.stringify({ ServerURL: server, Username, Secret }))
  }
}
`

/** The `auth` of an entry. */
export const basic = (username: string, password: string): string =>
  Buffer.from(`${username}:${password}`).toString('base64')
