import type { Credential } from '@stowage/client'
import { credentialStore } from '@stowage/client/credentials'
import { givenCredential } from '../command-line/credentials.ts'
import { defineCommand } from '../command-line/define.ts'
import { flag } from '../command-line/option-kinds.ts'
import type { Prompt } from '../command-line/prompt.ts'
import type { RegistrySettings } from '../command-line/common-options.ts'
import { StowageError } from '../failure.ts'
import { checkCredential } from './check-credential.ts'

export const login = defineCommand({
  usage: '<registry>',
  arguments: { registry: 'its host, or a namespace of it (ghcr.io/acme) with credentials of its own' },
  about:
    'Asks the registry whether the credentials are right, and keeps them where docker login does: with the helper that is set ' +
    'up for it, else in ~/.docker/config.json, which is not encrypted. With --registry-config they go into that file.',
  options: { noVerify: flag('--no-verify', 'keep them without asking the registry') },
  sides: 'one',
  examples: [
    ['stowage login ghcr.io', 'asks for name and password'],
    ['stowage login ghcr.io -u me --password-stdin < token', 'in a script'],
    ['stowage login registry.example --identity-token-stdin < token', 'with a refresh token'],
  ],
  async run({
    args: [registry],
    options: { noVerify },
    registrySettings,
    connectAs,
    output,
    prompt,
    call,
    environment,
  }) {
    if (registrySettings.password !== undefined || registrySettings.credentials !== undefined) {
      output.line(
        'warning: others on this machine can see a password on a command line. Use --password-stdin.',
        'yellow',
      )
    }
    const credential = await credentialFor(registry, registrySettings, prompt)
    const checked = noVerify ? 'not asked' : await checkCredential({ registry, credential, connectAs, call })
    if (checked === 'not wanted') {
      output.line(`warning: ${registry} let everyone in without a look at the credentials.`, 'yellow')
    }
    const [file] = registrySettings.registryConfigs
    const store = credentialStore({
      environment,
      onWarning: (warning) => output.line(`warning: ${warning}`, 'yellow'),
      ...(file === undefined ? {} : { file }),
    })
    const place = await store.save(registry, credential, call)
    if (!place.startsWith('docker-credential-'))
      output.line(`The credentials are in ${place}, not encrypted. A credsStore there would be safer.`)
    const username = credential.kind === 'password' ? credential.username : undefined
    const who = username === undefined ? 'with a token' : `as ${username}`
    await output.result(
      { registry, username: username ?? null, verified: checked === 'accepted', place },
      `Logged in to ${registry} ${who}.`,
    )
  },
})

const credentialFor = async (registry: string, settings: RegistrySettings, prompt: Prompt): Promise<Credential> => {
  const given = await givenCredential(settings, prompt)
  if (given !== undefined) return given
  if (!prompt.interactive) {
    throw new StowageError('usage', 'There is nobody to ask for name and password: stdin is no terminal.', {
      hint: `Use: stowage login ${registry} --username NAME --password-stdin < FILE`,
    })
  }
  const username = await prompt.askName(`User name for ${registry}`)
  const named = await givenCredential({ ...settings, username }, prompt)
  if (named === undefined) throw new StowageError('usage', 'The user name is empty.')
  return named
}
