import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { serve, type ServeOptions } from '../serve.ts'
import type { Stowage } from './account-worlds.ts'
import { runClientCommand } from './client-command.ts'
import { digestOf, imageManifest, pushBlob, pushManifest } from './push.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A registry with something in it, and commands about it. */
export interface UpkeepWorld {
  readonly stowage: Stowage
  readonly data: string
  /** Serves the same registry for a moment: to ask what there is now. */
  ask<T>(work: (url: string) => Promise<T>): Promise<T>
}

/**
 * Serves a registry that nobody needs to log in to, fills it, and stops it or not. No upkeep happens by itself. Commands get the
 * settings in the environment, as they would get those of the server with `--config`.
 */
export const upkeepWorld = async (
  served: boolean,
  fill: (url: string) => Promise<void>,
  environment: Readonly<Record<string, string>> = {},
  options: ServeOptions = {},
): Promise<UpkeepWorld> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  const data = join(directory.path, 'data')
  const open = async () =>
    serve({
      address: '127.0.0.1:0',
      data,
      log: { level: 'silent' },
      garbage: { every: 0 },
      ...options,
    })
  const first = await open()
  await fill(first.url)
  if (served) onTestFinished(async () => first.close(AbortSignal.abort()))
  else await first.close(AbortSignal.abort())
  return {
    data,
    stowage: async (argv, { environment: more, ...rest } = {}) =>
      runClientCommand([...argv, '--data', data], { ...rest, environment: { ...environment, ...more } }),
    ask: async (work) => {
      if (served) return work(first.url)
      await using serving = await open()
      // Awaited here: else the server would be gone first.
      return await work(serving.url)
    },
  }
}

/** With a server and without: commands work all the same. */
export const places = [
  ['a server', true],
  ['no server', false],
] as const

/** An image of one blob. */
export const pushImage = async (url: string, repository: string, tag: string, content: string): Promise<string> => {
  const manifest = imageManifest(content)
  const statuses = [
    (await pushBlob(url, repository, content)).status,
    (await pushManifest(url, repository, tag, manifest)).status,
  ]
  if (statuses.some((status) => status !== 201)) throw new Error(`pushing was answered with ${statuses.join(', ')}`)
  return digestOf(manifest)
}

/** The file of a blob, below the data directory. */
export const blobFile = async (data: string, content: string): Promise<string> => {
  const { readdir } = await import('node:fs/promises')
  const hex = digestOf(content).slice('sha256:'.length)
  const shard = join(data, 'blobs', 'sha256', hex.slice(0, 2))
  const name = (await readdir(shard)).find((each) => each.startsWith(hex))
  if (name === undefined) throw new Error(`there is no file of ${hex}`)
  return join(shard, name)
}
