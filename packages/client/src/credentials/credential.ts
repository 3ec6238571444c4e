/** What a registry, or its token server, is shown. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, which Docker calls identity token: it is changed for access tokens at the token server. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** A token that is sent to the registry as it is (`Authorization: Bearer`). */
  | { readonly kind: 'registry-token'; readonly token: string }

/** What credentials are wanted for. */
export interface CredentialRequest {
  /** Host and port as in references: `registry.example:5000`; `docker.io` for Docker Hub. */
  readonly registry: string
  /** The repository, when there is one: some stores keep credentials by repository. */
  readonly repository?: string
}

/** Where credentials come from. `undefined` means that this source has none, and the next one is asked. */
export type CredentialSource = (request: CredentialRequest) => Credential | undefined | Promise<Credential | undefined>

/** Asks each source in turn until one has a credential. */
export const firstOf =
  (...sources: readonly CredentialSource[]): CredentialSource =>
  async (request) => {
    for (const source of sources) {
      const credential = await source(request)
      if (credential !== undefined) return credential
    }
    return undefined
  }
