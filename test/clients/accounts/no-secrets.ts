/** Nothing that a client was let in with is in what the server wrote and counted. */
/** Whatever has this form is a secret, whoever made it: personal and refresh tokens, Bearer tokens, password hashes. */
const forms: Readonly<Record<string, RegExp>> = {
  'a personal or refresh token': /stw[pr]_[a-z0-9]{16}_/,
  'a Bearer token': /eyJ[\w-]{10,}\.[\w-]{10,}/,
  'a password hash': /\$argon2|\$2[aby]\$/,
}

/** @throws Error that says what was found, and not the secret. */
export const assertNoSecrets = (what: string, text: string, secrets: readonly string[]): void => {
  for (const secret of secrets) {
    const line = text.split('\n').find((each) => each.includes(secret))
    if (line !== undefined) throw new Error(`a password or token is in ${what}: ${line.replaceAll(secret, '[secret]')}`)
  }
  for (const [form, pattern] of Object.entries(forms)) {
    const found = pattern.exec(text)
    if (found !== null) throw new Error(`${form} is in ${what}, at ${found.index}`)
  }
}
