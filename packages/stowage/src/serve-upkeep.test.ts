import { rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { askServer, askUpkeepServer } from './admin/client.ts'
import { run, start } from './testing/command.ts'
import { digestOf, pushBlob } from './testing/push.ts'
import { serveForTest } from './testing/serve-for-test.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'
import { blobFile, pushImage } from './testing/upkeep-worlds.ts'

const metric = (page: string, name: string): number | undefined => {
  const line = page.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.split(' ')[1])
}

test('a server collects garbage by itself, and tells how it went', async () => {
  await using started = await serveForTest({ garbage: { every: '100ms', grace: 0 } })
  const { url, data } = started
  await pushImage(url, 'team/app', 'v1', 'used')
  await pushBlob(url, 'team/app', 'unused')
  const page = async (): Promise<string> => (await fetch(`${url}/metrics`)).text()
  await expect.poll(async () => metric(await page(), 'stowage_garbage_blobs_total'), { timeout: 10_000 }).toBe(1)
  const text = await page()
  expect(metric(text, 'stowage_garbage_bytes_total')).toBe(6)
  expect(metric(text, 'stowage_upkeep_runs_total{kind="garbage",result="done"}')).toBeGreaterThan(0)
  expect(metric(text, 'stowage_upkeep_runs_total{kind="garbage",result="withheld"}')).toBe(0)
  const at = metric(text, 'stowage_upkeep_last_run_timestamp_seconds{kind="garbage"}') ?? 0
  expect(Math.abs(Date.now() / 1000 - at)).toBeLessThan(3600)
  expect(metric(text, 'stowage_upkeep_last_run_duration_seconds{kind="garbage"}')).toBeGreaterThan(0)
  expect(text).not.toContain('stowage_upkeep_last_run_timestamp_seconds{kind="scrub"}')
  expect((await askServer(data, 'status'))?.upkeep).toMatchObject({ garbage: { report: { incomplete: false } } })
  expect((await fetch(`${url}/v2/team/app/blobs/${digestOf('used')}`)).status).toBe(200)
})

test('metrics have quarantine, refusals and the delay of the event loop', async () => {
  await using started = await serveForTest({ garbage: { every: 0 } })
  const { url, data } = started
  await pushImage(url, 'team/app', 'v1', 'first')
  writeFileSync(await blobFile(data, 'first'), 'fi?st')
  await askUpkeepServer(data, 'scrub', { rate: 0 })
  await fetch(`${url}/v2/team/app/manifests/v2`)
  await fetch(`${url}/v2/team/app/manifests/v3`)
  const text = await (await fetch(`${url}/metrics`)).text()
  expect(metric(text, 'stowage_corrupt_blobs')).toBe(1)
  expect(metric(text, 'stowage_scrub_corrupt_total')).toBe(1)
  expect(metric(text, 'stowage_http_refusals_total{reason="manifest-unknown"}')).toBe(2)
  for (const name of ['nodejs_eventloop_lag_p50_seconds', 'nodejs_eventloop_lag_p99_seconds']) {
    expect(metric(text, name)).toBeTypeOf('number')
  }
})

test('a server that stops does not wait for a scrub of hours', async () => {
  await using started = await serveForTest({ garbage: { every: 0 }, scrub: { rate: 1 } })
  await pushImage(started.url, 'team/app', 'v1', 'x'.repeat(100_000))
  await pushImage(started.url, 'team/app', 'v2', 'y'.repeat(100_000))
  const scrubbed = askUpkeepServer(started.data, 'scrub', {})
  // It has the request as soon as it answers one that came later.
  await askServer(started.data, 'status')
  await started.serving.close()
  expect(await scrubbed).toMatchObject({ value: { incomplete: true } })
})

test('stowage status says how upkeep went', async () => {
  await using directory = await temporaryDirectory()
  const cwd = directory.path
  const env = {
    STOWAGE_GARBAGE_EVERY: '200ms',
    STOWAGE_GARBAGE_GRACE: '0',
    STOWAGE_SCRUB_EVERY: '200ms',
    STOWAGE_SCRUB_RATE: '0',
    STOWAGE_RETENTION_EVERY: '200ms',
    STOWAGE_RETENTION_RULES: '[{"repositories": "*", "keep": {"newest": 1}}]',
  }
  await using command = start(['serve', '0'], { cwd, env })
  const url = await command.serving()
  await pushImage(url, 'team/app', 'v1', 'first')
  await pushImage(url, 'team/app', 'v2', 'second')
  await expect
    .poll(async () => (await run(['status'], { cwd })).stdout, { timeout: 20_000, interval: 500 })
    .toMatch(/^Last garbage collection +20\S+Z: .*\nLast retention +20\S+Z: .*\nLast scrub +20\S+Z: .*all right\n/m)
  writeFileSync(await blobFile(`${cwd}/data`, 'first'), 'fi?st')
  await expect
    .poll(async () => (await run(['status'], { cwd })).stdout, { timeout: 20_000, interval: 500 })
    .toMatch(/^In quarantine +1 corrupt: see stowage doctor$/m)
  command.process.kill('SIGTERM')
  expect(await command.ended).toMatchObject({ code: 0 })
  const stopped = (await run(['status'], { cwd })).stdout
  expect(stopped).toMatch(/^In quarantine +1 corrupt/m)
  expect(stopped).not.toContain('Last scrub')
}, 60_000)

test('commands of a process of their own: a run that finds something has its exit code', async () => {
  await using directory = await temporaryDirectory()
  const cwd = directory.path
  await using command = start(['serve', '0'], { cwd })
  await pushImage(await command.serving(), 'team/app', 'v1', 'first')
  expect(await run(['gc', '--dry-run', '--json'], { cwd })).toMatchObject({ code: 0, stderr: '' })
  expect(await run(['doctor'], { cwd })).toMatchObject({ code: 0, stderr: '' })
  expect(await run(['backup', 'copy'], { cwd })).toMatchObject({ code: 0, stderr: '' })
  const file = await blobFile(`${cwd}/data`, 'first')
  // Not written into: the file is that of the copy, too.
  rmSync(file)
  writeFileSync(file, 'fi?st')
  expect(await run(['doctor', '--deep'], { cwd })).toMatchObject({ code: 9, stderr: '' })
  expect(await run(['scrub'], { cwd })).toMatchObject({
    code: 9,
    stderr: expect.stringMatching(/^stowage: 1 blob or manifest is corrupt\.\n/) as string,
  })
  expect(await run(['doctor', '--deep', '--data', 'copy'], { cwd })).toMatchObject({ code: 0, stderr: '' })
}, 60_000)
