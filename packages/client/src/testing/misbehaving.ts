import {
  jsonReply,
  type MisbehavingOptions,
  type MisbehavingRegistry,
  startMisbehavingRegistry,
} from '@stowage/testkit'
import { expect } from 'vitest'
import { type Client, type ClientOptions, createClient } from '../client.ts'
import { createNodeFetch } from '../node/node-fetch.ts'
import type { Repository } from '../registry/repository.ts'
import type { HostOptions } from '../transport/hosts.ts'
import type { TraceEvent } from '../transport/call.ts'
import { type Sample, sample } from './sample-images.ts'

export interface RigOptions {
  readonly server?: MisbehavingOptions
  readonly host?: HostOptions
  readonly client?: Omit<ClientOptions, 'hosts' | 'fetch'>
}

/** A client and a registry that misbehaves. */
export interface Rig extends AsyncDisposable {
  readonly server: MisbehavingRegistry
  readonly client: Client
  readonly repository: Repository
  /** Every request that the client made. */
  readonly traces: readonly TraceEvent[]
  /**
   * Whatever happened: no secret has left its origin, and every place in the client's lanes was given back. Throws when a
   * behaviour failed, too.
   */
  [Symbol.asyncDispose](): Promise<void>
}

/** Waits are short, and there is one place for reads and one for writes: whoever keeps it keeps everybody out. */
export const startRig = async (options: RigOptions = {}): Promise<Rig> => {
  const server = await startMisbehavingRegistry(options.server)
  const { fetch, ...node } = createNodeFetch({ proxy: false })
  const traces: TraceEvent[] = []
  const host: HostOptions = {
    plainHttp: true,
    concurrency: 1,
    retry: { attempts: 3, maxDelay: 10 },
    timeouts: { idle: 2000, answer: 2000 },
    ...options.host,
  }
  const client = createClient({
    fetch,
    sendsStreams: true,
    onTrace: (event) => traces.push(event),
    ...options.client,
    hosts: { [server.host]: host, [server.trap.host]: host },
  })

  const usable = async (): Promise<void> => {
    server.on({ origin: 'any' }, () => jsonReply(200, {}))
    // With a header of its own nobody is asked for a token.
    const headers = { authorization: 'none' }
    const call = {
      registry: server.host,
      repository: undefined,
      scopes: [],
      headers,
      subject: 'the end',
      expect: [200],
    }
    const signal = AbortSignal.timeout(10_000)
    for (const method of ['GET', 'DELETE'] as const) {
      await (await client.transport.call({ ...call, method, target: '/v2/', signal })).discard()
    }
  }

  return {
    server,
    client,
    repository: client.repository(`${server.host}/test/app`),
    traces,
    async [Symbol.asyncDispose]() {
      try {
        expect(server.leaks).toEqual([])
        await usable()
      } finally {
        await client[Symbol.asyncDispose]()
        await node[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      }
    },
  }
}

export const blobOf = (bytes: Uint8Array): Sample => sample('application/octet-stream', bytes)

/** Whether the registry has the blob, by the side of all that misbehaves. */
export const isThere = async (rig: Rig, bytes: Uint8Array): Promise<void> => {
  const answer = await rig.server.send('GET', `/v2/test/app/blobs/${blobOf(bytes).descriptor.digest}`)
  expect(answer.status).toBe(200)
  expect(Buffer.compare(answer.bytes, bytes)).toBe(0)
}
