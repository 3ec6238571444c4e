import { expect, test } from 'vitest'
import { readEnvironment } from './environment.ts'

test('takes the name made from the key, and the aliases', () => {
  const { values, problems } = readEnvironment({
    PATH: '/bin',
    STOWAGE_UPLOADS_EXPIRE_AFTER: '5m',
    STOWAGE_ALLOW_MISSING_BLOBS: 'true',
    DISABLE_AUTHENTICATION: 'yes',
    STOWAGE_CONFIG: 'x.yaml',
  })
  expect(problems).toEqual([])
  expect(values.map(({ key, text }) => [key, text])).toEqual([
    ['auth', 'no'],
    ['uploads.expireAfter', '5m'],
    ['manifests.allowMissingBlobs', 'true'],
  ])
})

test('an empty variable is one that is not set', () => {
  expect(readEnvironment({ STOWAGE_DATA: '', DISABLE_AUTHENTICATION: '' })).toEqual({ values: [], problems: [] })
})

test('an unknown STOWAGE_ variable is a problem', () => {
  expect(readEnvironment({ STOWAGE_ALOW_MISSING_BLOBS: 'true', STOWAGE_ZZZZZZZZ: '1' }).problems).toEqual([
    { where: 'STOWAGE_ALOW_MISSING_BLOBS', message: 'is not a setting; did you mean STOWAGE_ALLOW_MISSING_BLOBS?' },
    { where: 'STOWAGE_ZZZZZZZZ', message: 'is not a setting' },
  ])
})

test('two names of one setting must agree', () => {
  const both = { STOWAGE_ALLOW_MISSING_BLOBS: 'true', STOWAGE_MANIFESTS_ALLOW_MISSING_BLOBS: 'false' }
  expect(readEnvironment(both).problems).toEqual([
    {
      key: 'manifests.allowMissingBlobs',
      where: 'STOWAGE_ALLOW_MISSING_BLOBS',
      message: 'says "true" but STOWAGE_MANIFESTS_ALLOW_MISSING_BLOBS says "false"',
    },
  ])
})

test('a name that says the opposite is turned round, and takes yes and no alone', () => {
  const auth = (text: string): unknown => {
    const { values, problems } = readEnvironment({ DISABLE_AUTHENTICATION: text })
    return problems[0]?.message ?? values[0]?.text
  }
  expect(['yes', 'TRUE', '1'].map(auth)).toEqual(['no', 'no', 'no'])
  expect(['no', 'False', '0'].map(auth)).toEqual(['yes', 'yes', 'yes'])
  for (const text of ['on', 'off', '2', ' ', 'y', 'null']) expect(auth(text)).toMatch(/^must be yes, true or 1/)
})

test('what Kubernetes says of a service called stowage is none of our business', () => {
  const links = {
    STOWAGE_SERVICE_HOST: '10.0.0.1',
    STOWAGE_SERVICE_PORT: '5000',
    STOWAGE_SERVICE_PORT_HTTP: '5000',
    STOWAGE_PORT: 'tcp://10.0.0.1:5000',
    STOWAGE_PORT_5000_TCP: 'tcp://10.0.0.1:5000',
    STOWAGE_PORT_5000_TCP_PROTO: 'tcp',
    STOWAGE_REGISTRY_PORT_5000_TCP_ADDR: '10.0.0.1',
  }
  expect(readEnvironment(links)).toEqual({ values: [], problems: [] })
})

test('what the commands of the client read is none of the server’s business', () => {
  const credentials = { STOWAGE_REGISTRY: 'a', STOWAGE_USERNAME: 'b', STOWAGE_PASSWORD: 'c', STOWAGE_TOKEN: 'd' }
  expect(readEnvironment(credentials)).toEqual({ values: [], problems: [] })
})
