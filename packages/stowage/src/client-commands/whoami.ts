import type { Credential } from '@stowage/client'
import { credentialStore, defaultCredentials, dockerConfig, firstOf } from '@stowage/client/credentials'
import { defineCommand } from '../command-line/define.ts'
import { texts } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'

export const whoami = defineCommand({
  usage: '[registry]',
  arguments: { registry: 'its host, or a repository of it; none: all that credentials are kept for' },
  about: 'Shows whose credentials a registry will be shown, and never the secret. The registry itself is not asked.',
  options: {
    registryConfigs: texts('--registry-config <file>', 'look in this file only; may be repeated', {
      also: ['--authfile'],
    }),
  },
  sides: 'none',
  examples: [
    ['stowage whoami ghcr.io', 'one registry'],
    ['stowage whoami', 'all, and where each is kept'],
  ],
  async run({ args: [registry], options: { registryConfigs }, output, call, environment }) {
    const onWarning = (warning: string): void => output.line(`warning: ${warning}`)
    const paths: readonly (string | undefined)[] = registryConfigs.length > 0 ? registryConfigs : [undefined]
    if (registry === undefined) {
      const stores = paths.map((file) =>
        credentialStore({ environment, onWarning, ...(file === undefined ? {} : { file }) }),
      )
      const kept = (await Promise.all(stores.map(async (store) => store.list(call)))).flat()
      if (kept.length === 0) output.line('Not logged in to any registry.')
      return output.list(kept, {
        text: ({ registry: name, username = 'a token', place }) => `${name}  ${username}  ${place}`,
        value: (credentials) => ({ credentials }),
      })
    }
    const find =
      registryConfigs.length === 0
        ? defaultCredentials({ environment, onWarning })
        : firstOf(...registryConfigs.map((path) => dockerConfig({ path, environment, onWarning })))
    const [host = '', ...path] = registry
      .replace(/^https?:\/\//, '')
      .replace(/\/$/, '')
      .split('/')
    const credential = await find({ registry: host, ...(path.length === 0 ? {} : { repository: path.join('/') }) })
    if (credential === undefined) {
      throw new StowageError('unauthorized', `Not logged in to ${registry}.`, {
        hint: `Log in with: stowage login ${host}`,
      })
    }
    await output.result({ registry, kind: credential.kind, username: nameOf(credential) }, nameOf(credential))
  },
})

const nameOf = (credential: Credential): string =>
  credential.kind === 'password' ? credential.username : `a token (${credential.kind})`
