import { askForToken } from './ask-for-token.ts'
import { addressOf } from './cast.ts'
import type { Credential, Login } from './credentials.ts'
import type { Difference } from './matrix.ts'
import { granted, repositories } from './policy-model.ts'
import type { World } from './world.ts'

/** What is granted of a request for everything everywhere. */
export const askTheEndpoint = async (
  world: World,
  credential: Credential,
  login: Login,
  number: number,
): Promise<Difference[]> => {
  const what = `${credential.principal} (${credential.label}) asks for a token`
  if (credential.guess === true) world.pass(6500)
  const wanted = repositories.map((kind) => `repository:${world.nameOf(kind, credential)}:delete,pull,push`)
  const answer = await askForToken(world.client, login, wanted, addressOf(number + 65_536))
  if (credential.transport.credential === 'refused') {
    return answer.status === 401 ? [] : [{ what, expected: '401', found: `${answer.status}: ${answer.body}` }]
  }
  if (answer.status !== 200) return [{ what, expected: '200', found: `${answer.status}: ${answer.body}` }]
  const { token, scope } = JSON.parse(answer.body) as { token: string; scope: string }
  const { access } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    access: { type: string; name: string; actions: string[] }[]
  }
  const expected = repositories
    .map((kind) => ({ name: world.nameOf(kind, credential), actions: granted(credential, kind) }))
    .filter(({ actions }) => actions.length > 0)
    .map(({ name, actions }) => `repository:${name}:${actions.join(',')}`)
    .join(' ')
  const signed = access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ')
  return [scope, signed].filter((found) => found !== expected).map((found) => ({ what, expected, found }))
}
