import { type CredentialSource, firstOf } from './credential.ts'
import { dockerConfig } from './docker-config.ts'
import { type Environment, variable } from './environment.ts'
import { environmentCredentials } from './environment-credentials.ts'
import { podmanAuth } from './podman-auth.ts'

/** Where the usual places are looked for. */
export interface DefaultCredentialsOptions {
  /** `process.env` unless set. */
  readonly environment?: Environment
  /** Told of what a person should know and that stops nothing. */
  readonly onWarning?: (message: string) => void
}

/**
 * Where a person's credentials usually are: the environment (`STOWAGE_REGISTRY` and its like), the file that
 * `REGISTRY_AUTH_FILE` names, Docker's configuration, Podman's own files. The first that has one for the registry counts.
 */
export const defaultCredentials = (options: DefaultCredentialsOptions = {}): CredentialSource => {
  const { environment = process.env } = options
  const podman = podmanAuth({ environment })
  const docker = dockerConfig({ ...options, environment })
  const isNamed = variable(environment, 'REGISTRY_AUTH_FILE') !== undefined
  return firstOf(environmentCredentials({ environment }), ...(isNamed ? [podman, docker] : [docker, podman]))
}
