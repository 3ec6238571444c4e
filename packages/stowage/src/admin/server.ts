import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Logger } from '@stowage/registry'
import { StowageError } from '../failure.ts'
import { type AdminError, type AdminOperations, adminRoutes } from './api.ts'
import type { AdminAnswer, OperationGroup } from './operations.ts'
import { answerRequest } from './requests.ts'
import { socketName, socketPath } from './socket-path.ts'

/** Answers administration requests on the socket of a data directory until it is disposed of. */
export const openAdminSocket = async (
  data: string,
  operations: AdminOperations,
  groups: readonly OperationGroup[],
  logger: Logger,
): Promise<AsyncDisposable> => {
  const socket = socketPath(data)
  if (socket === undefined) {
    logger.warn(
      { data },
      'the path of the data directory is too long for an administration socket: commands cannot reach this server',
    )
    return { [Symbol.asyncDispose]: async () => {} }
  }
  const running = new Set<Promise<unknown>>()
  const stop = new AbortController()
  const server = createServer(
    // They are about the request alone: an answer may take as long as the work does.
    { headersTimeout: 5000, requestTimeout: 5000 },
    listener(operations, groups, logger, running, stop.signal),
  )
  try {
    removeStale(data)
    await bind(() => server.listen({ path: socket.path }), server)
    chmodSync(socket.path, 0o600)
  } catch (error) {
    server.close()
    socket[Symbol.dispose]()
    throw error
  }
  return {
    [Symbol.asyncDispose]: async () => {
      // A scrub of hours ends where it is; what takes moments comes to its end.
      stop.abort(new Error('The server is being stopped.'))
      await Promise.allSettled(running)
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      socket[Symbol.dispose]()
    },
  }
}

/** Left behind by a process that was killed: whoever is here holds the directory's lock, so nobody listens on it. */
const removeStale = (data: string): void => {
  const path = join(data, socketName)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket())
    throw new StowageError('data', `${path} is in the way of the administration socket. Move it elsewhere.`)
  rmSync(path)
}

/** The socket is bound within `begin`: with this mask nobody else can connect even before its mode is set. */
const bind = async (begin: () => void, server: ReturnType<typeof createServer>): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.once('listening', resolve)
  const mask = setMask(0o177)
  try {
    begin()
  } finally {
    if (mask !== undefined) setMask(mask)
  }
  await promise
  server.removeListener('error', reject)
}

/** A worker thread may not set it; there the directory's own mode protects the socket. */
const setMask = (mask: number): number | undefined => {
  try {
    return process.umask(mask)
  } catch {
    return undefined
  }
}

const listener = (
  operations: AdminOperations,
  groups: readonly OperationGroup[],
  logger: Logger,
  running: Set<Promise<unknown>>,
  stop: AbortSignal,
): RequestListener => {
  const finish = (name: string, res: ServerResponse, work: Promise<AdminAnswer>): void => {
    const done = (async () => {
      try {
        const { status, value, trace } = await work
        // Before the answer: who has it finds the line.
        if (trace !== undefined) logger.info({ operation: name, ...trace }, 'administration')
        send(res, status, value)
      } catch (error) {
        logger.error({ err: error, operation: name }, 'an administration command failed')
        send(res, 500, failure('failed', error instanceof Error ? error.message : String(error)))
      }
    })()
    running.add(done)
    void done.finally(() => running.delete(done))
  }
  return (req, res) => {
    const path = (req.url ?? '').split('?', 1)[0] ?? ''
    const group = groups.find((one) => path.startsWith(one.path))
    const found = Object.entries(adminRoutes).find(([, route]) => route.path === path)
    if (found === undefined && group === undefined) {
      const paths = [...Object.values(adminRoutes).map((route) => route.path), ...groups.map((one) => `${one.path}…`)]
      send(res, 404, failure('not-found', `There is nothing at this path. There are ${paths.join(', ')}.`))
      return
    }
    const method = found?.[1].method ?? 'POST'
    if (req.method !== method) {
      res.setHeader('allow', method)
      send(res, 405, failure('method-not-allowed', `This path takes ${method}.`))
    } else if (group !== undefined) {
      const name = path.slice(group.path.length)
      finish(name, res, answerRequest(group, name, req, AbortSignal.any([stop, goneSignal(res)])))
    } else if (found !== undefined) {
      const [name] = found
      const work = operations[name as keyof AdminOperations]()
      finish(
        name,
        res,
        work.then((value) => ({ status: 200, value, ...(method !== 'GET' && { trace: value }) })),
      )
    }
  }
}

/** Aborts when the client goes away before it has its answer: nobody wants what is under way then. */
const goneSignal = (res: ServerResponse): AbortSignal => {
  const gone = new AbortController()
  res.once('close', () => {
    if (!res.writableFinished) gone.abort(new Error('The client went away.'))
  })
  return gone.signal
}

const failure = (code: AdminError['error']['code'], message: string): AdminError => ({ error: { code, message } })

const send = (res: ServerResponse, status: number, value: object): void => {
  const body = `${JSON.stringify(value)}\n`
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}
