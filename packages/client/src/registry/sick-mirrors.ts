import type { ClientError } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'

/** A repository of a mirror. */
interface Place {
  readonly registry: string
  readonly name: string
}

/** Milliseconds for which a mirror is not asked after it has failed. */
const quietTime = 60_000

/** Until when (milliseconds since the epoch) which mirror, or repository of a mirror, is left alone, for each transport. */
const quiet = new WeakMap<Transport, Map<string, number>>()

/** What fails because of the machine fails for all of its repositories. */
const isWholeMirror = ({ status, code }: ClientError): boolean =>
  status === undefined ? ['network', 'timeout', 'rate-limited'].includes(code) : status === 429 || status >= 500

const keyOf = ({ registry, name }: Place): string => `${registry}/${name}`

/** Remembers that a mirror has failed, in another way than not to have something. */
export const leaveAlone = (transport: Transport, place: Place, error: ClientError): void => {
  const known = quiet.get(transport) ?? new Map<string, number>()
  quiet.set(transport, known)
  known.set(isWholeMirror(error) ? place.registry : keyOf(place), Date.now() + quietTime)
}

export const isLeftAlone = (transport: Transport, place: Place): boolean => {
  const known = quiet.get(transport)
  return [place.registry, keyOf(place)].some((key) => (known?.get(key) ?? 0) > Date.now())
}
