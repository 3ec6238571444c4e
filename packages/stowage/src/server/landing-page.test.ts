import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { landingPage } from './landing-page.ts'

test('has the address and the commands', () => {
  const { body, type, status } = landingPage({ host: '127.0.0.1:5000', secure: false, login: false })
  expect({ type, status }).toEqual({ type: 'text/html; charset=utf-8', status: 200 })
  expect(body).toContain('docker push 127.0.0.1:5000/hello-world')
  expect(body).toContain('docker pull 127.0.0.1:5000/hello-world')
  expect(body).not.toContain('insecure-registries')
})

test('has docker login where one has to log in', () => {
  const page = (login: boolean): string => landingPage({ host: 'registry.example', secure: true, login }).body
  expect(page(true)).toContain('docker login registry.example')
  expect(page(false)).not.toContain('docker login')
})

test('runs nothing, loads nothing, and its style is the one that is allowed', () => {
  const { body, headers } = landingPage({ host: 'registry.example', secure: true, login: false })
  expect(body).not.toMatch(/<script|<img|<link|\son\w+=|javascript:/i)
  const policy = headers?.['content-security-policy'] ?? ''
  const [, style = ''] = /<style>([^]*?)<\/style>/.exec(body) ?? []
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`)
  expect(body).not.toMatch(/\sstyle=/)
})

test('escapes, should a host ever have something to escape', () => {
  const { body } = landingPage({ host: `<b>"&'`, secure: true, login: false })
  expect(body).not.toContain('<b>')
  expect(body).toContain('&#60;b&#62;&#34;&#38;&#39;')
})

test('says what Docker needs for plain HTTP beyond this machine', () => {
  expect(landingPage({ host: '10.0.0.1:5000', secure: false, login: false }).body).toContain('insecure-registries')
  expect(landingPage({ host: '10.0.0.1:5000', secure: true, login: false }).body).not.toContain('insecure-registries')
  expect(landingPage({ host: '[::1]:5000', secure: false, login: false }).body).not.toContain('insecure-registries')
})
