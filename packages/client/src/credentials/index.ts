/**
 * `@stowage/client/credentials`: the credentials that Docker, Podman and their helper programs keep, for any program that
 * speaks to registries. It needs nothing else of this package.
 */
export { ClientError, type ClientErrorCode, isClientError } from '../errors.ts'
export { type Credential, type CredentialRequest, type CredentialSource, firstOf } from './credential.ts'
export { type CredentialHelper, credentialHelper, type CredentialHelperOptions } from './credential-helper.ts'
export { type CredentialStore, credentialStore, type CredentialStoreOptions } from './credential-store.ts'
export { defaultCredentials, type DefaultCredentialsOptions } from './default-credentials.ts'
export { dockerConfig, type DockerConfigOptions } from './docker-config.ts'
export type { Environment } from './environment.ts'
export { environmentCredentials, type EnvironmentCredentialsOptions } from './environment-credentials.ts'
export type { StoredUser } from './helper-answer.ts'
export type { HelperUse } from './helper-answers.ts'
export { podmanAuth, type PodmanAuthOptions } from './podman-auth.ts'
export { staticCredential } from './static-credential.ts'
export type { StoredCredential } from './stored-credentials.ts'
