import { expect, test } from 'vitest'
import { parseImageConfig, safeParseImageConfig } from './image-config.ts'

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const diffId = `sha256:${'c'.repeat(64)}`
const least = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } }

test('a config reads as it is', () => {
  const whole = {
    ...least,
    variant: 'v2',
    'os.version': '10.0',
    'os.features': ['win32k'],
    created: '2026-01-02T03:04:05Z',
    author: 'A',
    config: {
      User: '1000:1000',
      ExposedPorts: { '80/tcp': {} },
      Env: ['PATH=/bin'],
      Entrypoint: ['/a'],
      Cmd: ['b'],
      Volumes: { '/data': {} },
      WorkingDir: '/',
      Labels: { a: 'b' },
      StopSignal: 'SIGTERM',
      ArgsEscaped: true,
      Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000, Retries: 3 },
      OnBuild: ['RUN true'],
      Shell: ['/bin/sh', '-c'],
      Image: 'sha256:x',
      Hostname: 'h',
      Domainname: 'd',
    },
    history: [
      { created: '2026-01-02T03:04:05Z', created_by: 'RUN a', author: 'A', comment: 'c', empty_layer: true },
      {},
    ],
    docker_version: '27.0',
    container: 'abc',
    container_config: { Cmd: ['x'] },
    comment: 'c',
    id: 'i',
    parent: 'p',
  }
  expect(parseImageConfig(bytes(whole))).toEqual(whole)
  expect(
    parseImageConfig(bytes({ ...whole, unknown: 1, config: { ...whole.config, Memory: 5, AttachStdin: false } })),
  ).toEqual(whole)
})

test('null is nothing, as Docker writes it', () => {
  const value = {
    ...least,
    created: null,
    history: null,
    config: { Env: null, Volumes: null, OnBuild: null, Labels: null },
  }
  expect(parseImageConfig(bytes(value))).toEqual({ ...least, config: {} })
  expect(parseImageConfig(bytes({ ...least, rootfs: { type: 'layers', diff_ids: null } })).rootfs.diff_ids).toEqual([])
})

test('every problem is told, with its path', () => {
  const result = safeParseImageConfig(
    bytes({
      os: 5,
      rootfs: { type: 'tar', diff_ids: [diffId, 'x'] },
      config: {
        Env: 'a',
        ExposedPorts: [],
        Labels: { a: 1 },
        Healthcheck: { Interval: 'x', Test: [1] },
        ArgsEscaped: 'yes',
      },
      history: [5, { empty_layer: 1 }],
      created: 5,
    }),
  )
  expect(result.ok ? [] : result.problems.map(({ path }) => path).toSorted()).toEqual([
    'architecture',
    'config.ArgsEscaped',
    'config.Env',
    'config.ExposedPorts',
    'config.Healthcheck.Interval',
    'config.Healthcheck.Test[0]',
    'config.Labels.a',
    'created',
    'history[0]',
    'history[1].empty_layer',
    'os',
    'rootfs.diff_ids[1]',
    'rootfs.type',
  ])
})

test.each([
  [{ ...least, rootfs: undefined }, 'rootfs: is missing'],
  [{ ...least, rootfs: { type: 'layers', diff_ids: {} } }, 'rootfs.diff_ids: must be an array'],
  [{ ...least, history: {} }, 'history: must be an array'],
  [{ ...least, config: [] }, 'config: must be an object'],
  [[], 'must be an object'],
])('%j is none', (value, message) => {
  expect(() => parseImageConfig(bytes(value))).toThrow(message)
})

test('bytes of any other content are none, and say so', () => {
  expect(() => parseImageConfig(new Uint8Array([0x53, 0x49, 0x46, 0xff]))).toThrow('is not UTF-8')
})
