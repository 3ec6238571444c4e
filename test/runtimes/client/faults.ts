/** What the client does where it is not let in, sent elsewhere, or cut off. */
import { blobContent, bytesContent, type ClientError, collect } from '@stowage/client'
import { makeImage, mebibyte, part, pushImage, randomBytes, sameBytes } from './content.ts'
import { account, type ClientRun, equal, failureOf, ok, plainHttp } from './run.ts'

export const checkFaults = async ({ createClient, servers, check }: ClientRun): Promise<void> => {
  const credentials = () => ({ kind: 'password', ...account }) as const

  await check('gets a token from a server of another origin, and pushes and pulls with it', async () => {
    const hosts = { [servers.guarded]: { ...plainHttp['*'], tokenServers: [servers.tokenServer] } }
    await using client = createClient({ hosts, credentials })
    await client.registry(servers.guarded).ping()
    const repository = client.repository(`${servers.guarded}/guarded/app`)
    const image = await makeImage(21, mebibyte)
    await pushImage(repository, image, 'v1')
    await sameBytes(repository.getBlob(image.layer.descriptor), image.layer.bytes)
    equal(await repository.resolve('v1'), image.manifest.descriptor, 'the descriptor')
  })

  await check('shows its credentials to no token server that was not allowed', async () => {
    await using client = createClient({ hosts: plainHttp, credentials })
    const failure = (await failureOf(client.registry(servers.guarded).ping())) as ClientError
    equal(failure.code, 'refused', 'the code')
    ok(failure.hint?.includes('tokenServers') === true, `The hint is ${failure.hint}.`)
  })

  await check('says that it was not let in', async () => {
    const hosts = { [servers.guarded]: { ...plainHttp['*'], tokenServers: [servers.tokenServer] } }
    const wrong = () => ({ kind: 'password', username: 'mallory', password: 'guess' }) as const
    await using client = createClient({ hosts, credentials: wrong })
    const failure = (await failureOf(client.resolve(`${servers.guarded}/guarded/app:v1`))) as ClientError
    equal([failure.code, failure.status], ['unauthorized', 401], 'the code and status')
  })

  const warnings: string[] = []
  await using client = createClient({
    hosts: plainHttp,
    credentials,
    onWarning: ({ text }) => void warnings.push(text),
  })
  const at = (name: string) => client.repository(`${servers.faulty}/${name}/app`)
  const { bytes, descriptor } = await part(randomBytes(2 * mebibyte, 22))
  const whole = blobContent(new Blob([bytes]))

  await check('shows name and password in UTF-8', async () => {
    equal(await at('plain').putBlob(descriptor, whole), 'uploaded', 'It')
    await sameBytes(at('plain').getBlob(descriptor), bytes)
  })

  await check('finds a flipped bit', async () => {
    await at('flipped').putBlob(descriptor, whole)
    const failure = (await failureOf(collect(at('flipped').getBlob(descriptor)))) as ClientError
    equal(failure.code, 'digest-mismatch', 'the code')
  })

  await check('takes up a download that breaks', async () => {
    await at('broken').putBlob(descriptor, whole)
    let retries = 0
    await sameBytes(at('broken').getBlob(descriptor, { onRetry: () => void retries++ }), bytes)
    ok(retries > 0, 'Nothing broke.')
  })

  await check('takes up an upload that breaks', async () => {
    let retries = 0
    const options = { onRetry: () => void retries++, absent: true }
    equal(await at('cut').putBlob(descriptor, whole, options), 'uploaded', 'It')
    ok(retries > 0, 'Nothing broke.')
    await sameBytes(at('cut').getBlob(descriptor), bytes)
  })

  await check('follows a blob to another origin', async () => {
    await at('away').putBlob(descriptor, bytesContent(bytes))
    await sameBytes(at('away').getBlob(descriptor), bytes)
  })

  await check('does not follow where a push is sent elsewhere', async () => {
    const failure = (await failureOf(at('lured').startUpload())) as ClientError
    equal(failure.code, 'refused', 'the code')
  })

  await check('waits as it is asked to, and says what it was told', async () => {
    let retries = 0
    await at('busy').putBlob(descriptor, whole, { onRetry: () => void retries++ })
    equal(retries, 1, 'the number of retries')
    equal(warnings, ['slow down'], 'the warnings')
    const failure = (await failureOf(at('closed').resolve('v1'))) as ClientError
    equal([failure.code, failure.retryAfter], ['rate-limited', 3_600_000], 'the code and the time')
  })
}
