import type { Random } from '../random.ts'
import { type Draft, draft } from './draft.ts'
import { chance } from './random-choice.ts'
import type { World } from './world.ts'

const service = 'stowage'

/** A request to the token endpoint: Docker's with GET, that of OAuth 2 with a form. */
export const tokenRequest = (random: Random, world: World): Draft => {
  const scope = random.pick([
    `repository:${random.pick(world.names)}:pull`,
    `repository:${random.pick(world.names)}:pull,push,delete`,
    'registry:catalog:*',
    `repository:${random.pick(world.names)}:* repository:other:pull`,
  ])
  if (chance(random, 0.6)) {
    const query = [`service=${service}`, `scope=${encodeURIComponent(scope)}`, 'client_id=fuzz', 'account=admin']
    const request = draft(random.pick(['GET', 'GET', 'GET', 'HEAD']), '/auth/token', {
      query: query.slice(0, random.between(0, query.length)),
    })
    if (world.account !== undefined && chance(random, 0.3))
      request.lines.push(`Authorization: ${basicOf(world.account)}`)
    // Said, so that nobody adds a Bearer token.
    else request.lines.push('Authorization: ')
    return request
  }
  const fields = new URLSearchParams({ service, client_id: 'fuzz', scope })
  const { name = 'admin', password = 'x' } = world.account ?? {}
  const grants: (() => void)[] = [
    () => {
      fields.set('grant_type', 'password')
      fields.set('username', name)
      fields.set('password', password)
      if (chance(random, 0.2)) fields.set('access_type', 'offline')
    },
    () => {
      fields.set('grant_type', 'refresh_token')
      fields.set('refresh_token', `stw_${'a'.repeat(random.between(0, 60))}`)
    },
    () => {
      fields.set('grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange')
      fields.set('subject_token', `e30.${'e30'.repeat(random.between(0, 5))}.x`)
      fields.set('subject_token_type', `urn:ietf:params:oauth:token-type:${random.pick(['jwt', 'id_token', 'saml2'])}`)
    },
    () => fields.set('grant_type', random.pick(['authorization_code', '', 'password\0'])),
  ]
  random.pick(grants)()
  return draft('POST', '/auth/token', {
    body: Buffer.from(fields.toString()),
    lines: ['Host: registry.test', 'Content-Type: application/x-www-form-urlencoded', 'Authorization: '],
  })
}

export const basicOf = ({ name, password }: { readonly name: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
