/** What the entry for Node has besides, where Node itself is not: certificates, the disk, and proxies. */
import type { ClientError } from '@stowage/client'
import { createClient } from '@stowage/client/node'
import { makeImage, mebibyte, pushImage, sameBytes } from './content.ts'
import { type ClientRun, equal, failureOf, ok, plainHttp } from './run.ts'

/** What the checks of this file need besides. */
export interface NodeFacts {
  /** Speaks TLS. */
  readonly secure: string
  /** Speaks TLS, with whoever shows the certificate. */
  readonly mutual: string
  /** Of both, and of the client. PEM. */
  readonly certificate: { readonly cert: string; readonly key: string }
  /** Empty, and removed after the run. */
  readonly directory: string
}

export const checkNode = async ({ servers, check }: ClientRun, facts: NodeFacts): Promise<void> => {
  const { secure, mutual, directory } = facts
  const { cert, key } = facts.certificate
  const pingWith = async (
    host: string,
    tls?: { ca?: string; cert?: string; key?: string; insecure?: boolean },
  ): Promise<void> => {
    const options = { ...plainHttp['*'], plainHttp: false, retry: { attempts: 1 } }
    await using client = createClient({ hosts: { [host]: tls === undefined ? options : { ...options, tls } } })
    await client.registry(host).ping()
  }

  await check('believes only the certificates that it is told to', async () => {
    const failure = (await failureOf(pingWith(secure))) as ClientError
    equal(failure.code, 'network', 'the code')
    ok(failure.hint?.includes('is not trusted') === true, `The hint is ${failure.hint}.`)
    await pingWith(secure, { ca: cert })
    await pingWith(secure, { insecure: true })
    equal(((await failureOf(pingWith(secure))) as ClientError).code, 'network', 'the code')
  })

  await check('shows its own certificate', async () => {
    equal(((await failureOf(pingWith(mutual, { ca: cert }))) as ClientError).code, 'network', 'the code')
    await pingWith(mutual, { ca: cert, cert, key })
  })

  await check('copies through a layout and archives', async () => {
    await using client = createClient({ hosts: plainHttp })
    const image = await makeImage(51, 3 * mebibyte)
    await pushImage(client.repository(`${servers.open}/runs/disk`), image, 'v1')
    const places = [
      `${servers.open}/runs/disk:v1`,
      `ocidir:${directory}/layout:v1`,
      `oci-archive:${directory}/oci.tar:v1`,
      `docker-archive:${directory}/docker.tar:runs/disk:v1`,
      `${servers.other}/copies/disk:v1`,
    ]
    for (const [index, to] of places.entries()) if (index > 0) await client.copy(places[index - 1] ?? '', to).result
    const target = client.repository(`${servers.other}/copies/disk`)
    await sameBytes(target.getBlob(image.layer.descriptor), image.layer.bytes)
  })
}

/** In an environment whose `HTTP_PROXY` is one that warns of itself. */
export const checkProxy = async ({ servers, check }: ClientRun): Promise<void> => {
  const warningsOf = async (options: { readonly proxy?: boolean }): Promise<string[]> => {
    const warnings: string[] = []
    await using client = createClient({
      hosts: plainHttp,
      onWarning: ({ text }) => void warnings.push(text),
      ...options,
    })
    await client.registry(servers.open).ping()
    return warnings
  }
  await check('goes through the proxy of its environment, unless it may not', async () => {
    equal(await warningsOf({}), ['by the proxy'], 'the warnings')
    equal(await warningsOf({ proxy: false }), [], 'the warnings')
  })
}
