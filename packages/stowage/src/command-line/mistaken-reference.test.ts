import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import { mistakenReference } from './mistaken-reference.ts'

describe('a registry alone', () => {
  test.each([
    '127.0.0.1:5123',
    '127.0.0.1',
    'localhost',
    'localhost:80',
    '[::1]:5000',
    'registry.example:443',
    'registry:5000',
    'http://localhost:5000',
    'https://registry.example',
    'docker://10.0.0.1:5000',
  ])('%s is not a repository of Docker Hub', async (text) => {
    expect(mistakenReference(text)).toMatchObject({
      failure: 'usage',
      hint: `Its repositories: stowage catalog ${text}; one of them is written ${text}/NAME.`,
    })
    for (const line of [
      ['ls', text],
      ['cp', 'ocidir:./x', text],
      ['sync', text, 'ocidir:./x'],
    ]) {
      const result = await stowage(line)
      expect(result).toMatchObject({ code: 64, stdout: '' })
      expect(result.stderr).toContain('stowage catalog')
    }
  })

  test.each([
    'alpine',
    'alpine:3',
    'amazonlinux:2023',
    'alpine:20240101',
    'localhost:5000/app',
    'localhost/app',
    'docker.io/library/registry:5000',
    'a.b:v1',
  ])('%s is an image', (text) => {
    expect(mistakenReference(text)).toBeUndefined()
  })
})

describe('a path', () => {
  test.each([
    ['./lay', 'ocidir:./lay'],
    ['../lay:v1', 'ocidir:../lay:v1'],
    ['.', 'ocidir:.'],
    ['/tmp/x', 'ocidir:/tmp/x'],
    ['~/x', 'ocidir:~/x'],
    ['lay.tar', 'oci-archive:lay.tar,'],
    ['lay.tar:v1', 'oci-archive:lay.tar:v1,'],
    ['./lay.tgz', 'oci-archive:./lay.tgz,'],
  ])('%s is written %s', async (text, meant) => {
    const result = await stowage(['digest', text])
    expect(result).toMatchObject({ code: 64, stdout: '' })
    expect(result.stderr).toContain(meant)
  })

  test('of a tar below a directory is one when the tar is there', async () => {
    await using directory = await temporaryDirectory()
    const path = join(directory.path, 'x.tar')
    writeFileSync(path, '')
    expect(mistakenReference(path.slice(1))).toBeUndefined()
    expect(mistakenReference(path)?.hint).toContain(`oci-archive:${path}`)
    expect(mistakenReference('ghcr.io/acme/x.tar')).toBeUndefined()
    expect(mistakenReference('ocidir:./lay')).toBeUndefined()
  })
})

test.each(['dir:lay', 'containers-storage:alpine', 'docker-daemon:alpine:3'])('%s is no kind of place', (text) => {
  expect(mistakenReference(text)?.message).toMatch(/there is no kind of place that is called/)
})
