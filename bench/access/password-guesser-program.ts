import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * `<url> <count> <rate>`: sends wrong passwords for a hundred names from a hundred networks and prints how they were answered.
 * 127.0.1.1, 127.0.2.1 and so on are all this machine, and to a registry each is a /24 of its own. Nobody waits when told to.
 */
const [url = '', count = 0, rate = 0] = process.argv.slice(2).map((word, at) => (at === 0 ? word : Number(word)))
const names = 100
const agents = Array.from({ length: 100 }, () => new Agent({ keepAlive: true, maxSockets: 2 }))
const verdicts: Record<number, number> = {}

function send(guess: number): Promise<void> {
  const network = guess % agents.length
  const name = `user-${Math.floor(guess / agents.length) % names}`
  return new Promise((resolve, reject) => {
    const agent = agents[network]
    const headers = { authorization: `Basic ${btoa(`${name}:guess ${guess}`)}` }
    const options = { localAddress: `127.0.${network + 1}.1`, headers, ...(agent === undefined ? {} : { agent }) }
    request(`${url}/v2/`, options, (incoming) => {
      const status = incoming.statusCode ?? 0
      verdicts[status] = (verdicts[status] ?? 0) + 1
      incoming.resume().on('end', resolve)
    })
      .on('error', reject)
      .end()
  })
}

const began = performance.now()
const under: Promise<void>[] = []
for (let guess = 0; guess < Number(count); guess += 1) {
  const due = began + (guess * 1000) / Number(rate)
  const wait = due - performance.now()
  if (wait > 1) await pause(wait)
  under.push(send(guess))
}
await Promise.all(under)
for (const agent of agents) agent.destroy()
process.stdout.write(JSON.stringify(verdicts))
