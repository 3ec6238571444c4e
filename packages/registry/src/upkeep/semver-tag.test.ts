import { describe, expect, it } from 'vitest'
import { isSemverTag } from './semver-tag.ts'

describe('isSemverTag', () => {
  it.each([
    '0.0.0',
    '1.2.3',
    'v1.2.3',
    '10.20.30',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-0.3.7',
    '1.0.0-x-y-z.--',
    '1.0.0-0A.is.legal',
    '1.0.0--',
    'v1.0.0-rc.1_build.001',
    '1.0.0_21AF26D3---117B344092BD',
    '99999999999999999999.0.0',
  ])('takes %s', (tag) => expect(isSemverTag(tag)).toBe(true))

  it.each([
    '',
    'v',
    'latest',
    '1',
    '1.2',
    '1.2.3.4',
    '01.2.3',
    '1.02.3',
    '1.2.03',
    'V1.2.3',
    'vv1.2.3',
    'v.1.2.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3-a.',
    '1.2.3_',
    '1.2.3_a_b',
    '1.2.3_a..b',
    '1.2.x',
    '1.2.3.',
    '-1.2.3',
    '1.-2.3',
    '1.2.3 ',
    '1.2.3\n',
    '１.2.3',
  ])('refuses %j', (tag) => expect(isSemverTag(tag)).toBe(false))
})
