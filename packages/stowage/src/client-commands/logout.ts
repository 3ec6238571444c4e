import { credentialStore } from '@stowage/client/credentials'
import { defineCommand } from '../command-line/define.ts'
import { text } from '../command-line/option-kinds.ts'

export const logout = defineCommand({
  usage: '<registry>',
  arguments: { registry: 'its host, or a namespace of it that has credentials of its own' },
  about: 'Forgets the credentials that stowage login, or docker login, has kept for a registry.',
  options: {
    registryConfig: text('--registry-config <file>', 'they are in this file, not in that of Docker', {
      also: ['--authfile'],
    }),
  },
  sides: 'none',
  examples: [['stowage logout ghcr.io', 'where they were kept, they are removed']],
  async run({ args: [registry], options: { registryConfig }, output, call, environment }) {
    const store = credentialStore({
      environment,
      onWarning: (warning) => output.line(`warning: ${warning}`),
      ...(registryConfig === undefined ? {} : { file: registryConfig }),
    })
    const removed = await store.remove(registry, call)
    await output.result(
      { registry, removed },
      removed ? `Logged out of ${registry}.` : `You were not logged in to ${registry}.`,
    )
  },
})
