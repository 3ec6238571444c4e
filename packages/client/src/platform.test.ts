import { describe, expect, test } from 'vitest'
import { describePlatform, matchesPlatform, parsePlatform } from './platform.ts'

describe('a platform as a person writes it', () => {
  test.each([
    ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
    ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['windows/amd64:10.0.17763.1', { os: 'windows', architecture: 'amd64', 'os.version': '10.0.17763.1' }],
    ['linux/riscv64/rva22:1', { os: 'linux', architecture: 'riscv64', variant: 'rva22', 'os.version': '1' }],
  ])('%s', (text, platform) => {
    expect(parsePlatform(text)).toEqual(platform)
    expect(describePlatform(platform)).toBe(text)
  })

  test.each([
    ['Linux/AMD64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/x64', 'linux/amd64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/i386', 'linux/386'],
    ['linux/constructor', 'linux/constructor'],
  ])('%s means %s', (text, meant) => {
    expect(describePlatform(parsePlatform(text))).toBe(meant)
  })

  test.each([
    '',
    'linux',
    'linux/',
    '/amd64',
    'linux/amd64/',
    'linux/amd64/v1/x',
    'linux amd64',
    'linux/amd64:',
    'a/b c',
  ])('is not %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})

describe('what is offered and what is wanted', () => {
  test.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/amd64', 'linux/arm64', false],
    ['linux/amd64', 'windows/amd64', false],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm64/v9', 'linux/arm64/v8', false],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/arm', 'linux/arm/v6', false],
    ['linux/arm/v6', 'linux/arm', true],
    ['linux/amd64/v3', 'linux/amd64', true],
    ['linux/amd64', 'linux/amd64/v3', false],
    ['windows/amd64:10.0.17763.1', 'windows/amd64', true],
    ['windows/amd64:10.0.17763.1', 'windows/amd64:10.0.17763', true],
    ['windows/amd64:10.0.17763.1', 'windows/amd64:10.0.17763.1', true],
    ['windows/amd64:10.0.17763.1098', 'windows/amd64:10.0.17763.1', false],
    ['windows/amd64:10.0.177631', 'windows/amd64:10.0.17763', false],
    ['windows/amd64', 'windows/amd64:10.0.17763', false],
  ])('%s for %s: %s', (offered, wanted, matches) => {
    expect(matchesPlatform(parsePlatform(offered), parsePlatform(wanted))).toBe(matches)
  })

  test('nothing is not what is wanted', () => {
    expect(matchesPlatform(undefined, parsePlatform('linux/amd64'))).toBe(false)
    expect(matchesPlatform({ os: 'linux', architecture: 'constructor' }, parsePlatform('linux/constructor/v1'))).toBe(
      false,
    )
  })
})
