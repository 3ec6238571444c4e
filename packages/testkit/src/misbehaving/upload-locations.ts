/** What registries say about where an upload goes on. */
import { randomUUID } from 'node:crypto'
import type { Behaviour, Call } from './call.ts'
import { changing, errorReply, headerOf, isReply, type Reply, withHeader } from './reply.ts'

/** `absolute` has the origin, `path` begins with `/`, `relative` is relative to the address that was asked. */
export type LocationForm = 'absolute' | 'path' | 'relative'

/** The same Location, written in another way. */
export const writeUploadLocation = (form: LocationForm): Behaviour =>
  changingLocation((location, { urls }) => {
    const { pathname, search } = new URL(location, urls.registry)
    if (form === 'absolute') return `${urls.registry}${pathname}${search}`
    return form === 'path' ? `${pathname}${search}` : `${pathname.slice(pathname.lastIndexOf('/') + 1)}${search}`
  })

/** The upload goes on at the other origin, which takes it. */
export const uploadLocationOnTrap = (): Behaviour =>
  changingLocation((location, { urls }) => {
    const { pathname, search } = new URL(location, urls.registry)
    return `${urls.trap}${pathname}${search}`
  })

export const withoutUploadLocation = (): Behaviour => changingLocation(() => undefined)

/**
 * Each answer gives a Location with another `_state`, and only the newest one is known, as it is with the distribution
 * project's registry. Give one such behaviour to a server, not several.
 *
 * @param options.afterCut What becomes of an upload whose connection broke: `kept` lets the last Location work on; `lost` is
 *   what that registry does, where no Location works any more that the client knows. Default: `kept`.
 */
export const statefulUploads = ({ afterCut = 'kept' }: { readonly afterCut?: 'kept' | 'lost' } = {}): Behaviour => {
  const states = new Map<string, string>()
  return async (call, next) => {
    const { pathname, searchParams } = new URL(call.target, call.urls.registry)
    const known = states.get(pathname)
    if (known !== undefined && searchParams.get('_state') !== known) {
      return errorReply(404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid')
    }
    searchParams.delete('_state')
    const query = searchParams.size === 0 ? '' : `?${searchParams.toString()}`
    const outcome = await next({ ...call, target: `${pathname}${query}` })
    if (!isReply(outcome)) {
      if (known !== undefined && afterCut === 'lost') states.set(pathname, randomUUID())
      return outcome
    }
    return withState(outcome, call, states)
  }
}

const withState = (answer: Reply, call: Call, states: Map<string, string>): Reply =>
  changeLocation(answer, call, (location) => {
    const url = new URL(location, call.urls.registry)
    const state = randomUUID()
    states.set(url.pathname, state)
    url.searchParams.set('_state', state)
    return location.startsWith('/') ? `${url.pathname}${url.search}` : url.href
  })

type Change = (location: string, call: Call) => string | undefined

const changingLocation = (change: Change): Behaviour => changing((answer, call) => changeLocation(answer, call, change))

/** A Location of a blob, after the upload, is another matter. */
const changeLocation = (answer: Reply, call: Call, change: Change): Reply => {
  const location = headerOf(answer, 'location')
  return location === undefined || !/\/blobs\/uploads\/[^/]+$/.test(location.split('?')[0] ?? '')
    ? answer
    : withHeader(answer, 'location', change(location, call))
}
