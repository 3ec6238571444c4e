import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { DirectoryLockedError, lockDirectory } from './lock.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-lock-'))
afterAll(() => rmSync(base, { recursive: true }))

let count = 0
const newDirectory = (): string => {
  count += 1
  const directory = join(base, String(count))
  mkdirSync(directory)
  return directory
}

/** Another process that tries to lock the directory, forgets the lock, says how that went, and then stays. */
const program = `
  import { lockDirectory } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)}
  let said = 'locked'
  try {
    lockDirectory(process.argv[1])
  } catch (error) {
    said = error.message
  }
  // Twice with a pause: what the collector finds is finalised in a later turn.
  gc()
  await new Promise((resolve) => setTimeout(resolve, 20))
  gc()
  await new Promise((resolve) => setTimeout(resolve, 20))
  console.log(said)
  setInterval(() => {}, 1_000_000)
  process.on('SIGTERM', () => process.exit())`

const otherProcess = async (directory: string) => {
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '--eval', program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.setEncoding('utf8')
  const [said] = await once(child.stdout, 'data')
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await once(child, 'exit')
  }
  return { pid: child.pid, said: String(said).trim(), end }
}

const refusal = (directory: string): unknown => {
  try {
    lockDirectory(directory)[Symbol.dispose]()
    return undefined
  } catch (error) {
    return error
  }
}

it('a second process is refused, and told which directory and who has it', async () => {
  const directory = newDirectory()
  const lock = lockDirectory(directory)
  const other = await otherProcess(directory)
  await other.end('SIGTERM')
  lock[Symbol.dispose]()
  expect(other.said).toContain(directory)
  expect(other.said).toContain(`the process with the id ${process.pid}`)
})

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'a lock holds to the end of its process, by %s, and no longer',
  async (signal) => {
    const directory = newDirectory()
    const other = await otherProcess(directory)
    expect(other.said).toBe('locked')
    const refused = refusal(directory)
    await other.end(signal)
    expect(refused).toBeInstanceOf(DirectoryLockedError)
    expect(refused).toMatchObject({ code: 'DIRECTORY_LOCKED', directory, holder: other.pid })
    expect(refusal(directory)).toBeUndefined()
  },
)

it('one process cannot lock a directory twice, and a refused lock does not undo the first', async () => {
  const directory = newDirectory()
  const lock = lockDirectory(directory)
  expect(refusal(directory)).toMatchObject({ holder: process.pid })
  const other = await otherProcess(directory)
  await other.end('SIGTERM')
  expect(other.said).toContain('is in use by')
  lock[Symbol.dispose]()
  lock[Symbol.dispose]()
  expect(refusal(directory)).toBeUndefined()
})

it('a lock that is let go leaves no name behind, and locks of other directories are others', () => {
  const [one, two] = [newDirectory(), newDirectory()]
  const locks = [lockDirectory(one), lockDirectory(two)]
  for (const lock of locks) lock[Symbol.dispose]()
  expect(readdirSync(one)).toEqual(['lock.db'])
})

it('a directory that does not exist is no lock', () => {
  expect(() => lockDirectory(join(base, 'nowhere'))).toThrow(/unable to open/)
})
