import { describe, expect, it, test } from 'vitest'
import { isInternal, isLoopback, parseDestination, requireSafeStep, requireSameOrigin, withoutQuery } from './origin.ts'

/** As everything gets here: through the URL parser. */
const hostname = (host: string): string => new URL(`http://${host}/`).hostname

describe('addresses within', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'a.localhost',
    'localhost.',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.0',
    '10.255.255.255',
    '100.64.0.0',
    '100.127.255.255',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '169.254.0.1',
    '169.254.169.254',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.0.0',
    '192.168.255.255',
    '192.0.0.8',
    '198.18.0.1',
    '198.19.255.255',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::127.0.0.1]',
    '[::10.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:a9fe:a9fe]',
    '[::ffff:0:1]',
    '[::ffff:0:192.168.0.1]',
    '[64:ff9b::10.0.0.1]',
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[2002:c0a8:1:2::3]',
    '[fc00::1]',
    '[fdff::1]',
    '[fe80::1]',
    '[febf::1]',
    '[fec0::1]',
    '[ff02::1]',
  ])('%s', (host) => {
    expect(isInternal(hostname(host))).toBe(true)
  })
})

describe('addresses of the open internet', () => {
  test.each([
    'registry.example',
    'localhost.example',
    'notlocalhost',
    '10.example',
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.1',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.0.0',
    '198.20.0.0',
    '223.255.255.255',
    '[2001:db8::1]',
    '[2606:4700::1111]',
    '[::ffff:1.1.1.1]',
    '[::ffff:0:1.1.1.1]',
    '[64:ff9b::1.1.1.1]',
    '[2002:101:101::1]',
    '[fb00::1]',
    '[fe00::1]',
    '[1::127.0.0.1]',
    '[1:2:3:4:5:6:7:8]',
    '[::1:0:0]',
  ])('%s', (host) => {
    expect(isInternal(hostname(host))).toBe(false)
  })
})

describe('this machine', () => {
  test.each(['localhost', 'LOCALHOST', 'a.localhost', '127.0.0.1', '127.8.9.1', '[::1]', 'localhost.'])(
    '%s',
    (host) => {
      expect(isLoopback(host)).toBe(true)
    },
  )

  test.each(['localhost.example', 'notlocalhost', '127.0.0.1.example', '10.0.0.1', '0.0.0.0', '[::2]', '[::]'])(
    'is not %s',
    (host) => {
      expect(isLoopback(host)).toBe(false)
    },
  )
})

describe('a destination', () => {
  const parse = (text: string, base: string | undefined = 'https://registry.example/v2/a') =>
    parseDestination(text, base, 'Location')

  it('is resolved against where it came from', () => {
    expect(parse('/v2/b').href).toBe('https://registry.example/v2/b')
    expect(parse('b?x=1').href).toBe('https://registry.example/v2/b?x=1')
    expect(parse('//other.example/v2').href).toBe('https://other.example/v2')
    expect(parse('http://other.example').href).toBe('http://other.example/')
  })

  it('is relative to nothing where there is no base', () => {
    for (const text of ['/token', '', 'token', '//token', '?a=b']) {
      expect(() => parseDestination(text, undefined, 'realm')).toThrow(
        expect.objectContaining({ code: 'invalid-response' }),
      )
    }
    expect(parseDestination('https://a.example/b', undefined, 'realm').href).toBe('https://a.example/b')
  })

  test.each(['http://[::1', 'http://a:99999/', 'https://', 'http://a b/'])('%s is no URL', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'invalid-response' }))
  })

  test.each(['javascript:alert(1)', 'file:///etc/passwd', 'data:text/plain,a', 'ftp://a/', 'blob:https://a/b'])(
    '%s is refused',
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'refused' }))
    },
  )

  test.each(['https://u:secretword@a.example/', 'https://:secretword@a.example/', '//secretword@a.example/'])(
    '%s is refused for its credentials, which no message has',
    (text) => {
      const error = catching(() => parse(text))
      expect(error).toMatchObject({ code: 'refused' })
      expect(String(error)).not.toContain('secretword')
    },
  )
})

describe('a step', () => {
  const step = (from: string, to: string): unknown => catching(() => requireSafeStep(from, new URL(to), 'redirect'))

  test.each([
    ['https://a.example/', 'https://b.example/'],
    ['http://a.example/', 'https://b.example/'],
    ['http://a.example/', 'http://b.example/'],
    ['http://127.0.0.1:1/', 'http://127.0.0.1:2/'],
    ['http://localhost:1/', 'http://10.0.0.1/'],
    ['https://10.0.0.1/', 'https://10.0.0.2/'],
  ])('from %s to %s', (from, to) => {
    expect(step(from, to)).toBeUndefined()
  })

  test.each([
    ['https://a.example/', 'http://a.example/'],
    ['https://127.0.0.1/', 'http://127.0.0.1/'],
    ['https://a.example/', 'https://169.254.169.254/'],
    ['https://a.example/', 'https://[::ffff:10.0.0.1]/'],
    ['http://a.example/', 'http://localhost/'],
    ['http://1.1.1.1/', 'http://2130706433/'],
  ])('not from %s to %s', (from, to) => {
    expect(step(from, to)).toMatchObject({ code: 'refused' })
  })
})

it('is of one origin by scheme, host and port', () => {
  const check = (from: string, to: string): unknown => catching(() => requireSameOrigin(from, new URL(to), 'Link'))
  expect(check('https://a.example/x', 'https://a.example:443/y')).toBeUndefined()
  for (const to of ['http://a.example/x', 'https://a.example:444/x', 'https://b.example/x', 'https://a.example./x']) {
    expect(check('https://a.example/x', to)).toMatchObject({ code: 'refused' })
  }
})

it('shows no query', () => {
  expect(withoutQuery('https://u:p@a.example:5/b/c?token=x#y')).toBe('https://a.example:5/b/c')
})

const catching = (work: () => unknown): unknown => {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}
