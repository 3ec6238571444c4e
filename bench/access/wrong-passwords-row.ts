import { setTimeout as pause } from 'node:timers/promises'
import { alternate } from '../alternate.ts'
import { manifestType } from '../content.ts'
import { createHttpClient } from '../load/http-client.ts'
import { guessPasswords, type Verdicts } from './password-guesser.ts'
import { stowageWithAccounts } from '../servers/stowage-with-accounts.ts'
import { percentile } from '../statistics.ts'
import { prepareContent, type Row, startServers } from '../rows/row.ts'

const title = 'p99 of a pull while passwords are guessed'
const guessesInAll = 10_000
const guessesASecond = 500
const pullers = 8
/** Between two pulls of one client: enough load to see a delay, not so much that the client is what is measured. Milliseconds. */
const restBetween = 10

const quiet = 'nobody guesses'
const guessed = 'wrong passwords'

const rest = async (seconds: number): Promise<Verdicts> => {
  await pause(seconds * 1000)
  return {}
}

/** Whether guessing, which costs the registry a derivation for each that is let through, is felt by those who pull. */
export const wrongPasswordsRow: Row = {
  id: 'wrong-passwords',
  title,
  run: async (context) => {
    const content = await prepareContent(context, 4096)
    await using started = await startServers(context, [stowageWithAccounts], content)
    const [server] = started.running
    if (server === undefined) throw new Error('stowage is not there')
    const url = new URL(`/v2/${content.repository}/manifests/${content.tag}`, server.url)
    const perRound = Math.ceil(guessesInAll / context.rounds)

    const pull = async (until: Promise<unknown>): Promise<number[]> => {
      using client = createHttpClient(pullers, server.headers)
      const times: number[] = []
      const over = new AbortController()
      const puller = async (): Promise<void> => {
        while (!over.signal.aborted) {
          const began = performance.now()
          const { status } = await client.call({ method: 'GET', url, headers: { accept: manifestType } })
          if (status !== 200) throw new Error(`a pull was answered ${status}`)
          times.push(performance.now() - began)
          await pause(restBetween)
        }
      }
      const pulling = Promise.all(Array.from({ length: pullers }, puller))
      await until
      over.abort()
      await pulling
      return times
    }

    const series = await alternate([{ name: quiet }, { name: guessed }], context.rounds, async ({ name }, round) => {
      const work =
        name === quiet
          ? rest(context.seconds)
          : guessPasswords({ url: server.url, count: perRound, rate: guessesASecond })
      const times = await pull(work)
      const verdicts = await work
      const detail = { 'guesses refused as wrong': verdicts[401] ?? 0, 'guesses delayed': verdicts[429] ?? 0 }
      const value = percentile(times, 99)
      context.say(`wrong-passwords: round ${round}, ${name}: p99 ${value.toFixed(2)} ms of ${times.length} pulls`)
      return { value, detail: { ...detail, 'p50 ms': percentile(times, 50), pulls: times.length } }
    })
    return {
      id: 'wrong-passwords',
      title,
      unit: 'ms',
      series,
      targets: [{ subject: guessed, peer: quiet, direction: 'at most', bound: 2 }],
      notes: [
        `${pullers} clients that pull a manifest and rest ${restBetween} ms; beside them ${guessesInAll} wrong passwords in all rounds together, ${guessesASecond} a second, for 100 names from 100 networks`,
      ],
    }
  },
}
