import { expect, it } from 'vitest'
import { ClientError } from '../errors.ts'
import { fileError, onFile } from './file-errors.ts'

const systemError = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'open' })

it.each([
  ['ENOENT', 'not-found'],
  ['EACCES', 'denied'],
  ['EROFS', 'denied'],
  ['ENOSPC', 'file'],
  ['ELOOP', 'invalid-content'],
  ['EMFILE', 'file'],
])('%s is %s, of the file that it is about', (code, meaning) => {
  expect(fileError(systemError(code), './x')).toMatchObject({ name: 'ClientError', code: meaning, subject: './x' })
})

it('keeps the code of the system where there is no better word', () => {
  expect(fileError(systemError('EMFILE'), './x').message).toContain('EMFILE')
})

it('leaves other errors as they are', async () => {
  const error = new ClientError('aborted', 'Stopped as asked.')
  await expect(onFile('./x', () => Promise.reject(error))).rejects.toBe(error)
  await expect(onFile('./x', () => Promise.reject(new TypeError('x')))).rejects.toThrow(TypeError)
})
