import type { Answer, Client } from './client.ts'
import type { Login } from './credentials.ts'

/** Asks the token endpoint as Docker does: with a header and the query, or with a form. */
export const askForToken = async (
  client: Client,
  login: Login,
  scopes: readonly string[],
  address: string,
): Promise<Answer> => {
  const parameters = new URLSearchParams({ service: 'stowage' })
  for (const scope of scopes) parameters.append('scope', scope)
  if ('form' in login) {
    for (const [name, value] of Object.entries(await login.form())) parameters.append(name, value)
    return client.send({
      method: 'POST',
      target: '/auth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': address },
      body: parameters.toString(),
    })
  }
  const { authorization } = login
  return client.send({
    method: 'GET',
    target: `/auth/token?${parameters.toString()}`,
    headers: { ...(authorization !== undefined && { authorization }), 'x-forwarded-for': address },
  })
}
