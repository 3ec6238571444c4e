import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readOutcome } from './outcome.ts'

const url = 'http://127.0.0.1:5000'
const program = { code: 0, stdout: '', stderr: 'failed to load config: unsupported config version' }

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index))
const results = [
  'config:',
  '  registry: 127.0.0.1:5000',
  '  cacheAuth: true',
  '  apis:',
  ...lines(16, (index) => `    api${index}: true`),
  '  data:',
  ...lines(15, (index) => `    data${index}: true`),
  '  version: dev',
  'apis:',
  ...lines(28, (index) => `  API ${index}: Pass`),
  'data:',
  ...lines(24, (index) => `  Data ${index}: Pass`),
  '',
].join('\n')
const junit = [
  '<testsuites time="7.1" tests="1032">',
  '  <testsuite name="OCI Conformance Test" tests="1032" failures="0" errors="0" time="7.1">',
  ...lines(830, (index) => {
    const output = '<system-err>GET &lt;root&gt;</system-err>'
    return `<testcase name="check ${index}" classname="" time="0.1" status="passed">${output}</testcase>`
  }),
  '  </testsuite>',
  '</testsuites>',
].join('\n')

async function problems(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-outcome-'))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
    return (await readOutcome(directory, url, program)).problems
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('a run in which everything was tested and passed has no problem', async () => {
  expect(await problems({ 'results.yaml': results, 'junit.xml': junit })).toEqual([])
})

test('a program that wrote nothing has failed, though its exit code is 0', async () => {
  expect(await problems({})).toEqual([expect.stringContaining('unsupported config version')])
})

test.each([
  ['a switch that is off', results.replace('api3: true', 'api3: false'), junit, 'turned off: api3: false'],
  ['a switch that is missing', results.replace('    data14: true\n', ''), junit, 'only 31 switches'],
  ['another version', results.replace('version: dev', 'version: "1.1"'), junit, 'does not say "version: dev"'],
  ['another registry', results.replace('5000', '5001'), junit, 'does not say "registry: 127.0.0.1:5000"'],
  ['a disabled API', results.replace('API 1: Pass', 'API 1: Disabled'), junit, 'API 1: Disabled'],
  ['an API that is missing', results.replace('  API 9: Pass\n', ''), junit, 'only 27 apis'],
  ['failed data', results.replace('Data 2: Pass', 'Data 2: FAIL'), junit, 'Data 2: FAIL'],
  ['a skipped check', results, junit.replace('status="passed"', 'status="skipped"'), 'check 0: skipped'],
  ['a counted skip', results, junit.replace('tests="1032"', 'tests="1032" skipped="2"'), 'counts 2 skipped'],
  [
    'a counted disabled check',
    results,
    junit.replace('tests="1032"', 'tests="1032" disabled="4"'),
    'counts 4 disabled',
  ],
  ['fewer checks', results, junit.replace('tests="1032"', 'tests="1031"'), 'only 1031 checks'],
  ['fewer single checks', results, junit.replace(/<testcase .*\n/, ''), 'only 829 single checks'],
])('%s is a problem', async (_, yaml, xml, expected) => {
  const found = await problems({ 'results.yaml': yaml, 'junit.xml': xml })
  expect(found).toContainEqual(expect.stringContaining(expected))
})

test('a failed check is named with its reason', async () => {
  const failed = junit
    .replace('status="passed"', 'status="failure"')
    .replace('</testcase>', '<system-out>status 200, expected &#34;201&#34;&#xA;again</system-out></testcase>')
  const found = await problems({ 'results.yaml': results, 'junit.xml': failed })
  expect(found).toEqual(['check 0: failure\nstatus 200, expected "201"\nagain'])
})
