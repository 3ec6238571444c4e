/** Every client that is shown a registry with accounts, in the order of their cost. */
import { curl } from './curl.ts'
import { docker } from './docker.ts'
import { crane, oras, regctl } from './go-clients.ts'
import { licences } from './licences.ts'
import { podman } from './podman.ts'
import { pythonReggie } from './python-reggie.ts'
import { skopeo } from './skopeo.ts'
import { stowageClient } from './stowage.ts'
import type { AccountsClient } from './test-accounts.ts'

export const accountsClients: readonly AccountsClient[] = [
  curl,
  pythonReggie,
  stowageClient,
  skopeo,
  podman,
  crane,
  oras,
  regctl,
  docker,
  licences,
]
