import { beforeEach, expect, it } from 'vitest'
import { createTrust, DiskDistrustedError, type Trust } from './trust.ts'

const fault = (code: string): Error => Object.assign(new Error(code), { code })

let time: number
let trials: PromiseWithResolvers<void>[]
let trust: Trust

beforeEach(() => {
  time = 0
  trials = []
  const tryDisk = async (): Promise<void> => {
    const trial = Promise.withResolvers<void>()
    trials.push(trial)
    await trial.promise
  }
  trust = createTrust(tryDisk, () => time)
})

it('asks for nothing while no fsync failed', () => {
  expect(trust.require()).toBeUndefined()
  trust.confirm(trust.losses)
  expect(trials).toHaveLength(0)
})

it('is not lost for want of room', () => {
  trust.lost(fault('ENOSPC'))
  trust.lost(fault('EDQUOT'))
  expect(trust.require()).toBeUndefined()
})

it('lets the first who comes try the disk, and keeps nobody else waiting', async () => {
  trust.lost(fault('EIO'))
  expect(() => trust.confirm(trust.losses)).toThrow(DiskDistrustedError)
  const first = trust.require()
  await expect(trust.require()).rejects.toThrow(DiskDistrustedError)
  trials[0]?.resolve()
  await first
  trust.confirm(trust.losses)
  expect(trust.require()).toBeUndefined()
})

it('has the disk tried once a second', async () => {
  trust.lost(fault('EIO'))
  const first = trust.require()
  trials[0]?.reject(fault('EIO'))
  await expect(first).rejects.toThrow(DiskDistrustedError)
  time = 999
  await expect(trust.require()).rejects.toThrow(DiskDistrustedError)
  expect(trials).toHaveLength(1)
  time = 1000
  const second = trust.require()
  expect(trials).toHaveLength(2)
  trials[1]?.resolve()
  await second
})

it('does not confirm what was under way when an fsync failed, also when the disk works again', async () => {
  const before = trust.losses
  trust.lost(fault('EIO'))
  const trial = trust.check()
  trials[0]?.resolve()
  await trial
  trust.confirm(trust.losses)
  expect(() => trust.confirm(before)).toThrow(DiskDistrustedError)
})

it('does not believe a trial under which another fsync failed', async () => {
  trust.lost(fault('EIO'))
  const trial = trust.check()
  trust.lost(fault('EIO'))
  trials[0]?.resolve()
  await expect(trial).rejects.toThrow(DiskDistrustedError)
  expect(() => trust.confirm(trust.losses)).toThrow(DiskDistrustedError)
})

it('is checked whatever was known, by one trial for all who check, and says what is wrong', async () => {
  const both = [trust.check(), trust.check()]
  expect(trials).toHaveLength(1)
  trials[0]?.resolve()
  await Promise.all(both)
  const full = trust.check()
  trials[1]?.reject(fault('ENOSPC'))
  await expect(full).rejects.toMatchObject({ code: 'ENOSPC' })
  const failing = trust.check()
  trust.lost(fault('EIO'))
  trials[2]?.reject(fault('EIO'))
  await expect(failing).rejects.toThrow('Check the disk')
})
