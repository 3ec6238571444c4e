import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hashSync } from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { createHtpasswd, type Htpasswd } from './htpasswd.ts'

const cost = 4
const hashes = { wonder: hashSync('wonder', cost), land: hashSync('land', cost) }

interface Scene extends AsyncDisposable {
  readonly path: string
  readonly logs: string[]
  readonly htpasswd: Htpasswd
  write(text: string): Promise<void>
  /** Seconds. */
  pass(seconds: number): void
}

const setUp = async (text: string, options: { waiting?: number } = {}): Promise<Scene> => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-htpasswd-'))
  const path = join(directory, 'htpasswd')
  let ahead = 0
  let written = 0
  const logs: string[] = []
  const log = (facts: object, message: string): void => void logs.push(`${message} ${JSON.stringify(facts)}`)
  const write = async (content: string): Promise<void> => {
    await writeFile(path, content)
    written += 1
    // Each time is another one, however fast the test is.
    await utimes(path, 1_000_000 + written, 1_000_000 + written)
  }
  await write(text)
  const htpasswd = await createHtpasswd({
    path,
    logger: { debug: log, info: log, warn: log, error: log },
    now: () => Date.now() + ahead,
    ...options,
  })
  return {
    path,
    logs,
    htpasswd,
    write,
    pass: (seconds) => (ahead += seconds * 1000),
    [Symbol.asyncDispose]: async () => {
      await htpasswd[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

it.each(['a', 'b', 'y'])('verifies $2%s$', async (kind) => {
  await using scene = await setUp(`alice:${hashes.wonder.replace('$2b$', `$2${kind}$`)}\n`)
  const { htpasswd } = scene
  expect([htpasswd.has('alice'), htpasswd.has('bob')]).toEqual([true, false])
  expect(await htpasswd.verify('alice', 'wonder')).toBe(true)
  for (const wrong of ['Wonder', 'wonder ', '', 'land']) expect(await htpasswd.verify('alice', wrong)).toBe(false)
  expect(await htpasswd.verify('bob', 'wonder')).toBe(false)
  expect(await htpasswd.verify('__proto__', 'wonder')).toBe(false)
})

it('reads what the C library of Linux writes, beyond ASCII too', async () => {
  await using scene = await setUp('u:$2y$04$abcdefghijklmnopqrstuuESmz2KlYgnhSMqAh8U2JHaWhc4kF.6a')
  expect(await scene.htpasswd.verify('u', 'pässwörd ✓')).toBe(true)
  expect(await scene.htpasswd.verify('u', 'passwörd ✓')).toBe(false)
})

it('a wrong password, an unknown name and a password that is too long cost one comparison each', async () => {
  await using scene = await setUp(`alice:${hashes.wonder}`)
  const { htpasswd } = scene
  const costs = []
  for (const [name, password] of [
    ['alice', 'wonder'],
    ['alice', 'wrong'],
    ['nobody', 'wrong'],
    ['alice', 'x'.repeat(73)],
    ['nobody', 'x'.repeat(1_000_000)],
    ['alice', 'wonder\0wonder'],
  ] as const) {
    const before = htpasswd.work
    await htpasswd.verify(name, password)
    costs.push(htpasswd.work - before)
  }
  expect(costs).toEqual([1, 1, 1, 1, 1, 1])
})

it('72 bytes are a password, and what is longer is none', async () => {
  await using scene = await setUp(`alice:${hashSync('x'.repeat(72), cost)}\nbob:${hashSync('not usable', cost)}`)
  const { htpasswd } = scene
  expect(await htpasswd.verify('alice', 'x'.repeat(72))).toBe(true)
  // bcrypt itself would say yes to all of these.
  expect(await htpasswd.verify('alice', 'x'.repeat(73))).toBe(false)
  expect(await htpasswd.verify('alice', `${'x'.repeat(72)}${'y'.repeat(1000)}`)).toBe(false)
  expect(await htpasswd.verify('alice', `${'x'.repeat(70)}✓`)).toBe(false)
  expect(await htpasswd.verify('bob', 'x'.repeat(73))).toBe(false)
})

it('a password with a NUL is none', async () => {
  // To bcrypt these two are one.
  await using scene = await setUp(`alice:${hashSync('a', cost)}`)
  expect(await scene.htpasswd.verify('alice', 'a')).toBe(true)
  expect(await scene.htpasswd.verify('alice', 'a\0a')).toBe(false)
})

it('what is too much is refused at once', async () => {
  await using scene = await setUp(`alice:${hashes.wonder}`, { waiting: 2 })
  const asked = await Promise.allSettled(Array.from({ length: 10 }, () => scene.htpasswd.verify('alice', 'wonder')))
  expect(asked.slice(0, 3).map((each) => each.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
  for (const each of asked.slice(3)) {
    expect(each).toMatchObject({ status: 'rejected', reason: { fault: 'overloaded', hints: { retryAfter: 1 } } })
  }
})

it('the event loop goes on meanwhile', async () => {
  await using scene = await setUp(`alice:${hashSync('wonder', 9)}`)
  await scene.htpasswd.verify('alice', 'the thread has started')
  let turns = 0
  const over = new AbortController()
  const verdict = scene.htpasswd.verify('alice', 'wonder').finally(() => over.abort())
  while (!over.signal.aborted) {
    turns += 1
    await new Promise((resolve) => void setImmediate(resolve))
  }
  expect(await verdict).toBe(true)
  // In the same thread the whole comparison is one turn.
  expect(turns).toBeGreaterThan(20)
})

describe('a file that changes', () => {
  it('is looked at once a second', async () => {
    await using scene = await setUp(`alice:${hashes.wonder}`)
    const { htpasswd } = scene
    const [whole, line] = [htpasswd.stamp(), htpasswd.stampOf('alice')]
    // The length stays: only the time of the file says that it has changed.
    await scene.write(`alice:${hashes.land}`)
    scene.pass(1.1)
    expect(await htpasswd.verify('alice', 'land')).toBe(true)
    expect(await htpasswd.verify('alice', 'wonder')).toBe(false)
    expect(htpasswd.stamp()).not.toBe(whole)
    expect(htpasswd.stampOf('alice')).not.toBe(line)
    await scene.write(`bob:${hashes.land}`)
    scene.pass(1.1)
    expect([htpasswd.has('alice'), htpasswd.has('bob')]).toEqual([false, true])
    expect(htpasswd.stampOf('alice')).toBeUndefined()
    await scene.write('')
    scene.pass(1.1)
    expect(htpasswd.has('bob')).toBe(false)
  })

  it('is put in its place by a rename', async () => {
    await using scene = await setUp(`alice:${hashes.wonder}`)
    await writeFile(`${scene.path}.new`, `alice:${hashes.land}`)
    await utimes(`${scene.path}.new`, 1_000_001, 1_000_001)
    await rename(`${scene.path}.new`, scene.path)
    scene.pass(1.1)
    expect(await scene.htpasswd.verify('alice', 'land')).toBe(true)
  })

  it('the line of one user has a stamp of its own', async () => {
    await using scene = await setUp(`alice:${hashes.wonder}\nbob:${hashes.wonder}`)
    const { htpasswd } = scene
    const [alice, bob] = [htpasswd.stampOf('alice'), htpasswd.stampOf('bob')]
    expect(alice).not.toBe(bob)
    await scene.write(`bob:${hashes.land}\nalice:${hashes.wonder}`)
    scene.pass(1.1)
    expect(htpasswd.stampOf('alice')).toBe(alice)
    expect(htpasswd.stampOf('bob')).not.toBe(bob)
  })

  it.each([
    ['gone', async ({ path }: Scene) => rm(path)],
    ['no file', async ({ path }: Scene) => rm(path).then(async () => mkdir(path))],
    ['half a line', async ({ write }: Scene) => write(`alice:${hashes.land}\nbob:${hashes.land.slice(0, 30)}`)],
    ['too large', async ({ write }: Scene) => write('#'.repeat(1024 * 1024 + 1))],
  ])('changes nothing when it is %s, and the log says so once', async (_, damage) => {
    await using scene = await setUp(`alice:${hashes.wonder}`)
    const { htpasswd, logs } = scene
    await damage(scene)
    for (let look = 0; look < 5; look += 1) {
      scene.pass(1.1)
      expect(await htpasswd.verify('alice', 'wonder')).toBe(true)
    }
    expect(logs).toEqual([expect.stringContaining('cannot be used; what it said before holds on')])
    expect(logs.join()).not.toContain('$2')
    await rm(scene.path, { recursive: true, force: true })
    await scene.write(`alice:${hashes.land}`)
    scene.pass(1.1)
    expect(await htpasswd.verify('alice', 'land')).toBe(true)
    expect(logs.slice(-1)).toEqual([expect.stringContaining('was read again')])
  })
})

describe('a file that is not right at the start', () => {
  const start = async (text: string | undefined): Promise<Error> => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-htpasswd-'))
    try {
      const path = join(directory, 'htpasswd')
      if (text !== undefined) await writeFile(path, text)
      await createHtpasswd({ path })
      throw new Error('it started')
    } catch (error) {
      return error as Error
    } finally {
      await rm(directory, { recursive: true })
    }
  }

  it('is refused with the lines and without what stands in them', async () => {
    const { message } = await start(`alice:${hashes.wonder}\nbob:$apr1$hunter2$abc\n\ncarol hunter2\n`)
    expect(message).toMatch(/^The htpasswd file \/.*\/htpasswd cannot be used: line 2 has no bcrypt hash/)
    expect(message).toContain('; line 4 is not')
    expect(message).not.toMatch(/hunter2|apr1|bob|carol/)
  })

  it('names some of many lines', async () => {
    const { message } = await start(Array.from({ length: 500 }, (_, index) => `u${index}:x`).join('\n'))
    expect(message).toContain('line 10 has')
    expect(message).not.toContain('line 11 ')
    expect(message).toMatch(/; and 490 more$/)
  })

  it('is refused when it is not there', async () => {
    expect((await start(undefined)).message).toContain('ENOENT')
  })
})

it('runs as sources in plain Node, and an idle thread does not keep the process alive', async () => {
  await using scene = await setUp(`alice:${hashes.wonder}`)
  const module = new URL('./htpasswd.ts', import.meta.url).href
  const script = `const { createHtpasswd } = await import(${JSON.stringify(module)})
    const htpasswd = await createHtpasswd({ path: ${JSON.stringify(scene.path)} })
    console.log(await htpasswd.verify('alice', 'wonder'), await htpasswd.verify('alice', 'land'))`
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 })
  expect(stdout).toBe('true false\n')
})
