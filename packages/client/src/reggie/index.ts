/**
 * Reggie for TypeScript: requests to an OCI registry, written out. The names are those of the Go and Python clients, and so is
 * what they do, except for what both get wrong: tokens are kept, challenges are parsed, bodies are sent again, an absolute
 * Location is absolute, and nothing secret leaves its origin or is written down.
 *
 * @example
 * const client = NewClient('http://127.0.0.1:5000', WithDefaultName('myorg/myrepo'))
 * const response = await client.Do(client.NewRequest('GET', '/v2/<name>/tags/list'))
 */
export type { BodyFactory, BodyLike } from './body.ts'
export {
  type ClientOption,
  WithAuthScope,
  WithDebug,
  WithDefaultName,
  WithFetch,
  WithInsecureSkipTLSVerify,
  WithTimeouts,
  WithTokenServers,
  WithUserAgent,
  WithUsernamePassword,
} from './client-options.ts'
export { NewClient, type Client } from './client.ts'
export { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } from './methods.ts'
export {
  type RequestOption,
  WithDigest,
  WithName,
  WithReference,
  WithRetryCallback,
  WithSessionID,
} from './request-options.ts'
export type { Request, RetryCallbackFunc } from './request.ts'
export type { DoOptions, ErrorResponse, Response, ResponseHead, StreamedResponse } from './response.ts'
export { type ClientConfig, DefaultUserAgent } from './settings.ts'
export type { Content } from '../content/content.ts'
export { ClientError, type ClientErrorCode, isClientError } from '../errors.ts'
export type { Fetch, FetchAnswer, FetchInit } from '../transport/fetch.ts'
export type { Method } from '../transport/call.ts'
