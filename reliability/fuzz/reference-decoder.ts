import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** What the reference says of a manifest. */
export interface Reading {
  /** Why it must not be accepted. */
  readonly reasons: readonly string[]
  /** Why it may be refused although it is plain. */
  readonly limits: readonly string[]
  /** There when it could be read as a manifest at all. */
  readonly mediaType?: string
  readonly artifactType?: string | null
  readonly subject?: string | null
  readonly annotations?: Readonly<Record<string, string>> | null
  readonly blobs?: readonly (string | null)[]
}

export interface ReferenceDecoder extends AsyncDisposable {
  read(body: Buffer, contentType: string | undefined): Promise<Reading>
}

const program = fileURLToPath(new URL('reference_decoder.py', import.meta.url))

/** Python, in one process that answers for as long as it is there. */
export const startReferenceDecoder = (): ReferenceDecoder => {
  const child = spawn('python3', ['-S', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: { resolve: (reading: Reading) => void; reject: (error: Error) => void }[] = []
  let ended: Error | undefined
  const end = (error: Error): void => {
    ended ??= error
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  child.on('error', (cause) => end(new Error('python3 cannot be started: is it installed?', { cause })))
  child.on('exit', () => end(new Error('The reference decoder ended before its end.')))
  child.stdin.on('error', end)
  createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
    // It is ours.
    waiting.shift()?.resolve(JSON.parse(line) as Reading)
  })
  return {
    read: async (body, contentType) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) {
          reject(ended)
          return
        }
        waiting.push({ resolve, reject })
        const type =
          contentType === undefined || contentType === '' ? '-' : Buffer.from(contentType, 'latin1').toString('base64')
        child.stdin.write(Buffer.concat([Buffer.from(`${body.byteLength} ${type}\n`), body]))
      }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.pid === undefined) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
