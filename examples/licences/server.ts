/**
 * A maker of software sells images: customers log in with their name and a licence key, and pull what their plan has. The
 * maker's own CI pushes with a key of its own. Nobody else may do anything, and a licence that ends stops pulls at the next
 * request. `createRegistry` is told so by two functions: `accounts.credentials` says whose credentials these are, and
 * `access.authorize` what they may do. `access.visible` shows in lists what may be pulled.
 *
 * Run it from the root of the repository (`npm run build` once before). In place of a database there is `licences.json`, which
 * has the SHA-256 of each key, never the key:
 *
 *   KEY=$(openssl rand -hex 32)
 *   SHA=$(printf %s "$KEY" | sha256sum | cut -d ' ' -f 1)
 *   echo "[{\"customer\": \"acme\", \"keySha256\": \"$SHA\", \"plan\": \"basic\", \"ends\": \"2099-01-01\"}]" > licences.json
 *
 *   VENDOR_KEY=$(openssl rand -hex 32) node examples/licences/server.ts 5000
 *
 *   echo "$KEY" | docker login 127.0.0.1:5000 --username acme --password-stdin
 *   docker pull 127.0.0.1:5000/products/basic/app
 *
 * Everything that is pushed is kept in `./data`.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRegistry } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'

interface Licence {
  readonly customer: string
  readonly keySha256: string
  readonly plan: string
  readonly ends: string
}

const plans = new Map([
  ['basic', ['products/basic/']],
  ['pro', ['products/basic/', 'products/pro/']],
])

const vendor = 'vendor'
const { VENDOR_KEY: vendorKey = '' } = process.env
if (vendorKey.length < 32) throw new Error('Set VENDOR_KEY, 32 characters or more: it is what CI pushes with.')

await using registry = await createRegistry({
  storage: './data',
  accounts: {
    credentials: async (name, key) => {
      const expected = name === vendor ? sha256(vendorKey) : (await licenceOf(name))?.keySha256
      return expected !== undefined && isSame(sha256(key), expected) ? { kind: 'user', name } : undefined
    },
  },
  access: {
    authorize: async ({ kind, name }, action, { repository = '' }) => {
      if (kind === 'anonymous') return { allow: false, login: 'required' }
      if (name === vendor) return { allow: repository === '' || repository.startsWith('products/') }
      const licence = await licenceOf(name)
      if (!isRunning(licence)) return { allow: false, reason: 'This licence has ended. Renew it to go on.' }
      if (action === 'ping' || action === 'list') return { allow: true }
      if (action !== 'pull') return { allow: false, reason: 'A licence is for pulling.' }
      if (foldersOf(licence).some((folder) => repository.startsWith(folder))) return { allow: true }
      return { allow: false, reason: `The plan ${licence.plan} does not have ${repository}.` }
    },
    visible: async ({ name }) => {
      if (name === vendor) return { kind: 'all' }
      const licence = await licenceOf(name)
      const folders = isRunning(licence) ? foldersOf(licence) : []
      return { kind: 'any-of', globs: folders.map((folder) => `${folder}*`) }
    },
  },
})

const handler = toNodeHandler(registry)
const server = createServer({ requestTimeout: 0 }, handler)
server.on('checkContinue', handler.checkContinue)
server.listen(Number(process.argv[2] ?? 5000), '127.0.0.1')
await once(server, 'listening')
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
server.close().closeAllConnections()

async function licenceOf(customer: string): Promise<Licence | undefined> {
  const licences = JSON.parse(await readFile('licences.json', 'utf8')) as Licence[]
  return licences.find((licence) => licence.customer === customer)
}

function isRunning(licence: Licence | undefined): licence is Licence {
  return licence !== undefined && Date.now() < Date.parse(licence.ends)
}

function foldersOf({ plan }: Licence): readonly string[] {
  return plans.get(plan) ?? []
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
