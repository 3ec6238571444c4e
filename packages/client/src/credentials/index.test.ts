import { readdir, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as credentials from '@stowage/client/credentials'

it('exports what it says, and nothing else', () => {
  expect(Object.keys(credentials).toSorted()).toEqual([
    'ClientError',
    'credentialHelper',
    'credentialStore',
    'defaultCredentials',
    'dockerConfig',
    'environmentCredentials',
    'firstOf',
    'isClientError',
    'podmanAuth',
    'staticCredential',
  ])
})

it('needs nothing of the client but its errors, and types', async () => {
  const directory = new URL('.', import.meta.url)
  const files = (await readdir(directory)).filter((name) => /(?<!\.test)\.ts$/.test(name))
  expect(files.length).toBeGreaterThan(10)
  for (const name of files) {
    const code = await readFile(new URL(name, directory), 'utf8')
    const outside = [...code.matchAll(/^(?:import|export) (?!type ).* from '(\.\.\/[^']+)'/gm)].map(([, path]) => path)
    expect(outside.filter((path) => path !== '../errors.ts')).toEqual([])
  }
})

it('has the types and the chain free of node', async () => {
  const code = await readFile(new URL('credential.ts', import.meta.url), 'utf8')
  expect(code).not.toMatch(/^import|from '/m)
})
