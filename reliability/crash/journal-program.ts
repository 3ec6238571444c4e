import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'

/*
 * The other process: appends what it is told to a file, has it on the disk, and only then says so. Whatever happens to the
 * harness or the registry, what it confirmed is there. Lines come on stdin; for each sync a line goes out on stdout with how
 * many lines, and how many acknowledgements among them, are on the disk.
 */

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('The journal needs a path.')
const file = openSync(path, 'a')
// An interruption is for the harness: it ends this process by ending its stdin.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const newline = 0x0a
const acknowledged = Buffer.from('"outcome":"acknowledged"')
let lines = 0
let acknowledgements = 0
let waiting: Buffer[] = []
let rest = Buffer.alloc(0)

// All that came while the last sync was under way goes with the next one.
const flush = (): void => {
  const bytes = Buffer.concat([rest, ...waiting])
  waiting = []
  const whole = bytes.lastIndexOf(newline) + 1
  rest = bytes.subarray(whole)
  if (whole === 0) return
  for (let at = 0; at < whole; at += writeSync(file, bytes, at, whole - at));
  fdatasyncSync(file)
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) lines += 1
  for (let at = bytes.indexOf(acknowledged); at !== -1 && at < whole; at = bytes.indexOf(acknowledged, at + 1))
    acknowledgements += 1
  process.stdout.write(`${lines} ${acknowledgements}\n`)
}

process.stdin.on('data', (chunk: Buffer) => {
  if (waiting.length === 0) setImmediate(flush)
  waiting.push(chunk)
})
process.stdin.on('end', () => {
  flush()
  closeSync(file)
})
