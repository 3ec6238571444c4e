/** `registry.example`, `registry.example:5000`, `127.0.0.1:5000`, `[::1]:5000`: what can stand before a repository's name. */
const pattern = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i

/**
 * What clients write before a repository's name: the host of the public URL if there is one, or what this client itself
 * called us, or where we listen. A `Host` header is whatever its sender likes: one that is no host is not repeated.
 */
export const registryHost = (publicUrl: string | undefined, header: string | undefined, listening: string): string => {
  if (publicUrl !== undefined) return new URL(publicUrl).host
  return header !== undefined && pattern.test(header) ? header.toLowerCase() : listening
}

/**
 * How to get a first image into a registry: works against 127.0.0.1, which Docker talks plain HTTP to.
 *
 * @param login Whether one has to log in.
 */
export const firstPush = (host: string, login: boolean): readonly string[] => [
  ...(login ? [`docker login ${host}`] : []),
  'docker pull hello-world',
  `docker tag hello-world ${host}/hello-world`,
  `docker push ${host}/hello-world`,
]
