import type { SeenRequest } from './call.ts'

/** Headers that never belong to a foreign origin, whatever they say. */
const secretHeaders = ['authorization', 'proxy-authorization', 'cookie']

/** Whether a request carries credentials: in a header, in the target, or in the body. */
export const findSecrets = (
  users: readonly (readonly [name: string, password: string])[],
  tokens: readonly string[],
): ((request: SeenRequest) => boolean) => {
  const secrets = [
    ...tokens,
    ...users.flatMap(([name, password]) => [
      password,
      encodeURIComponent(password),
      new URLSearchParams({ password }).toString(),
      Buffer.from(`${name}:${password}`).toString('base64'),
    ]),
  ]
  return ({ headers, target, bodyStart }) => {
    if (secretHeaders.some((name) => headers[name] !== undefined)) return true
    const said = [target, JSON.stringify(headers), Buffer.from(bodyStart).toString('latin1')].join('\n')
    return secrets.some((secret) => secret !== '' && said.includes(secret))
  }
}
