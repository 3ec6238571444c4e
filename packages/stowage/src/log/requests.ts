import type { Logger, RequestSummary } from '@stowage/registry'

/**
 * The log's line for an answered request: what changed a repository, and who was refused, at `info`; the server's own faults
 * at `warn`; everything else, which is nearly everything, at `debug`.
 */
export const logRequests = (logger: Logger, debug: boolean): ((summary: RequestSummary) => void) => {
  return (summary) => {
    const { status } = summary
    if (status >= 500) logger.warn(factsOf(summary), 'a request could not be served')
    else if (status < 300 && changes(summary)) logger.info(factsOf(summary), 'changed')
    else if (status === 401 || status === 403 || status === 429) logger.info(withAddress(summary), 'refused')
    else if (debug) logger.debug(withAddress(summary), 'answered')
  }
}

/** Chunks of uploads are a change of nothing that anybody sees yet. */
const changes = ({ method, status }: RequestSummary): boolean =>
  method === 'PUT' || method === 'DELETE' || (method === 'POST' && status === 201)

/** Where it came from is said of who is refused, and to who looks closely. */
const withAddress = (summary: RequestSummary): object => ({ ...factsOf(summary), remoteAddress: summary.remoteAddress })

const factsOf = ({ method, route, repository, actor, status, milliseconds, error }: RequestSummary): object => ({
  method,
  route,
  repository,
  actor,
  status,
  milliseconds: Math.round(milliseconds * 100) / 100,
  error,
})
