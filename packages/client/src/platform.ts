import type { Platform } from '@stowage/oci'
import { ClientError } from './errors.ts'

/** `linux/arm64`, `linux/arm/v7`, `windows/amd64:10.0.17763.1`: as every tool writes it. */
export const describePlatform = (platform: Platform): string => {
  const { os, architecture, variant } = platform
  const version = platform['os.version']
  return [
    `${os}/${architecture}`,
    variant === undefined ? '' : `/${variant}`,
    version === undefined ? '' : `:${version}`,
  ].join('')
}

/** The names some machines give themselves, and what images call them. */
const architectures: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x64', 'amd64'],
  ['aarch64', 'arm64'],
  ['i386', '386'],
])

/** @throws {ClientError} `usage` */
export const parsePlatform = (text: string): Platform => {
  const match = /^([a-z0-9_.-]+)\/([a-z0-9_.-]+)(?:\/([a-z0-9_.-]+))?(?::([\w.-]+))?$/i.exec(text)
  const [, os = '', given = '', variant, version] = match ?? []
  if (match === null) {
    throw new ClientError(
      'usage',
      `${JSON.stringify(text)} is not a platform: write os/architecture[/variant], as linux/arm64.`,
    )
  }
  const named = given.toLowerCase()
  const architecture = architectures.get(named) ?? named
  return {
    os: os.toLowerCase(),
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
  }
}

/** The variant that an architecture has without saying so. */
const impliedVariant: ReadonlyMap<string, string> = new Map([
  ['arm64', 'v8'],
  ['arm', 'v7'],
])

/** Whether what an index offers is what is wanted: what the wish leaves open may be anything. */
export const matchesPlatform = (offered: Platform | undefined, wanted: Platform): boolean => {
  if (offered === undefined) return false
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return false
  const version = wanted['os.version']
  // Windows counts revisions behind what programs depend on: 10.0.17763 is every 10.0.17763.x, and not 10.0.177631.
  if (version !== undefined && !`${offered['os.version']}.`.startsWith(`${version}.`)) return false
  if (wanted.variant === undefined) return true
  const implied = impliedVariant.get(wanted.architecture)
  return (offered.variant ?? implied) === wanted.variant
}
