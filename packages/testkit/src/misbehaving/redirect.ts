import type { Behaviour, Call } from './call.ts'
import { reply } from './reply.ts'

export type RedirectStatus = 301 | 302 | 303 | 307 | 308

/** Sends the client to any address: `file:///etc/passwd`, say. The registry never hears of the request. */
export const redirectTo =
  (location: string | ((call: Call) => string), status: RedirectStatus = 307): Behaviour =>
  (call) =>
    reply(status, [['location', typeof location === 'string' ? location : location(call)]])

/** To the same content on the other origin, as registries do whose blobs lie elsewhere. */
export const redirectToTrap = (status: RedirectStatus = 307): Behaviour =>
  redirectTo(({ urls, target }) => `${urls.trap}${target}`, status)

/** To the very same address, for ever. */
export const redirectToItself = (status: RedirectStatus = 307): Behaviour => redirectTo(({ target }) => target, status)

/** For ever, and each time to an address that was never seen before. */
export const redirectEndlessly = (status: RedirectStatus = 307): Behaviour => {
  let hop = 0
  return redirectTo(({ urls, target }) => {
    const next = new URL(target, urls.registry)
    hop += 1
    next.searchParams.set('hop', String(hop))
    return `${next.pathname}${next.search}`
  }, status)
}

/** To the registry itself, with a name and a password in the address that are not the client's. */
export const redirectWithUserinfo = (status: RedirectStatus = 307): Behaviour =>
  redirectTo(({ urls, target }) => `${urls.registry.replace('://', '://mallory:guess@')}${target}`, status)
