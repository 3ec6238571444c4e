/** What of an exchange may be written down. */
const hidden = '[redacted]'

/** Values of parameters are shown only for these: any other may be a signature, a token or the state of an upload. */
const harmlessParameters: ReadonlySet<string> = new Set([
  'artifacttype',
  'digest',
  'from',
  'last',
  'mount',
  'n',
  'scope',
  'service',
])

/** The author of an image is no secret. */
const secretName = /auth(?!ors?$)|cookie|credential|key|pass(?:word|wd|phrase)|secret|session|signature|token/i

/** Every URL in the text without what its query, or the part before its host, may hide. */
export const redactUrls = (text: string): string =>
  text
    .replaceAll(/:\/\/[^/\s"'<>@]*@/g, `://${hidden}@`)
    .replaceAll(/([?&])([^=&\s"'<>]+)=([^&\s"'<>]*)/g, (all, before: string, name: string) =>
      harmlessParameters.has(name.toLowerCase()) ? all : `${before}${name}=${hidden}`,
    )

/** One line a header. */
export const redactHeaders = (headers: Headers): string[] =>
  [...headers].map(([name, value]) => {
    // A challenge says where to get a token, and has none.
    if (name === 'www-authenticate' || !secretName.test(name)) return `${name}: ${redactUrls(value)}`
    const scheme = /^(?:basic|bearer) /i.exec(value)?.[0] ?? ''
    return `${name}: ${scheme}${hidden}`
  })

/** JSON with telling names emptied, whoever sent it; undefined when it is not JSON. */
export const redactJson = (text: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(text, (name, inner: unknown) =>
      secretName.test(name) && typeof inner !== 'object' ? hidden : inner,
    )
    return redactUrls(JSON.stringify(value))
  } catch {
    return undefined
  }
}

/** Takes these texts out of another, wherever they stand in it. Shorter ones than three characters are no secrets. */
export const without = (secrets: Iterable<string>, text: string): string => {
  let clean = text
  for (const secret of [...secrets].toSorted((one, other) => other.length - one.length)) {
    if (secret.length < 3) continue
    clean = clean.replaceAll(secret, hidden).replaceAll(encodeURIComponent(secret), hidden)
  }
  return clean
}
