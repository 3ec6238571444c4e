import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Logger } from '@stowage/registry'
import { StowageError } from '../failure.ts'
import { type AdminAnswer, type Administered, answerAccountRequest } from './account-requests.ts'
import { accountsPath, type AdminError, type AdminOperations, adminRoutes } from './api.ts'
import { socketName, socketPath } from './socket-path.ts'

/** Answers administration requests on the socket of a data directory until it is disposed of. */
export const openAdminSocket = async (
  data: string,
  operations: AdminOperations,
  administered: Administered | undefined,
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
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000 },
    listener(operations, administered, logger, running),
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
  administered: Administered | undefined,
  logger: Logger,
  running: Set<Promise<unknown>>,
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
    const ofAccounts = path.startsWith(accountsPath) ? administered : undefined
    const found = Object.entries(adminRoutes).find(([, route]) => route.path === path)
    if (found === undefined && ofAccounts === undefined) {
      const paths = Object.values(adminRoutes).map((route) => route.path)
      send(
        res,
        404,
        failure('not-found', `There is nothing at this path. There are ${[...paths, `${accountsPath}…`].join(', ')}.`),
      )
      return
    }
    const method = found?.[1].method ?? 'POST'
    if (req.method !== method) {
      res.setHeader('allow', method)
      send(res, 405, failure('method-not-allowed', `This path takes ${method}.`))
    } else if (ofAccounts !== undefined) {
      const name = path.slice(accountsPath.length)
      finish(name, res, answerAccountRequest(ofAccounts, name, req))
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

const failure = (code: AdminError['error']['code'], message: string): AdminError => ({ error: { code, message } })

const send = (res: ServerResponse, status: number, value: object): void => {
  const body = `${JSON.stringify(value)}\n`
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}
