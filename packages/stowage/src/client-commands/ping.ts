import { defineCommand } from '../command-line/define.ts'

export const ping = defineCommand({
  usage: '<registry>',
  arguments: { registry: 'its host: ghcr.io, localhost:5000' },
  about: 'Asks whether a registry is there, and whether it lets you in.',
  sides: 'one',
  examples: [
    ['stowage ping localhost:5000', 'is it up?'],
    ['stowage ping registry.example --username me', 'would this password do?'],
  ],
  async run({ args: [registry], connect, output, call }) {
    const client = await connect({ registry })
    const { name, ping: ask } = client.registry(registry)
    const began = performance.now()
    await ask(call)
    const milliseconds = Math.round(performance.now() - began)
    await output.result({ registry: name, ok: true, milliseconds }, `${name} answers, and lets you in.`)
  },
})
