import { Command, CommanderError, Option } from 'commander'
import { clientCommands } from './client-commands/list.ts'
import { unknownCommand } from './command-line/find-command.ts'
import { interruptOnSignals } from './command-line/interrupt.ts'
import { runClient } from './command-line/run-client.ts'
import { toggleValueProblem } from './command-line/toggle-values.ts'
import { administrationCommands, administrationGroups, listedCommands } from './commands/list.ts'
import { flagOf, hasFlag, isToggle, placeholderOf, type SettingKey, settingKeys, settingOf } from './config/settings.ts'
import { exitCodes, StowageError } from './failure.ts'
import type { CommandInput } from './commands/input.ts'
import { commandHelp, exitCodeHelp, moreSettings, serveHelp } from './help.ts'
import { version } from './version.ts'

/** Runs a command line. What a command needs is loaded when it is run: `--help` and `--version` answer at once. */
export const run = async (argv: readonly string[], environment: CommandInput['environment'] = {}): Promise<void> => {
  // `stowage help ls` is `stowage ls --help`.
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv
  using interrupts = new DisposableStack()
  try {
    const code = await runClient(listedCommands, words, () => {
      const { signal } = interrupts.use(interruptOnSignals(exitCodes.interrupted))
      return { environment, terminal: process, signal }
    })
    if (code === undefined) await runServer(words, environment)
    else process.exitCode = code
  } catch (error) {
    process.exitCode = report(error)
  }
}

const runServer = async (argv: readonly string[], environment: CommandInput['environment']): Promise<void> => {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    // Whoever read this has gone (`stowage serve --help | head`): nothing is wrong.
    if (error.code === 'EPIPE') return
    if (error.code !== 'ENOSPC') throw error
    process.stderr.write('stowage: stdout: no space left on device.\n')
    process.exit(exitCodes.failed)
  })
  const program = new Command('stowage')
    .description('Stowage: an OCI distribution registry, and a client for all of them.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', commandHelp)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        const [path] = argv.filter((word) => serverCommands.includes(word))
        // What stands behind `=` may be a password.
        const said = text
          .replace(/^error: /, '')
          .replace(/'(-[^'=]*)=.*'/s, "'$1'")
          .trim()
        write(
          `stowage: ${said.slice(0, 1).toUpperCase()}${said.slice(1)}. See stowage ${path === undefined ? '' : `${path} `}--help.\n`,
        )
      },
    })
    .commandsGroup('A registry of your own:')

  const serving = program
    .command('serve')
    .summary('serve a registry')
    .description('Serves a registry until it is told to stop.')
    .argument('[address]', settingOf('address').about, undefined)
    .option('--config <file>', 'a configuration file; also STOWAGE_CONFIG')
    .option('--check-config', 'print the configuration in effect, and where each value comes from, then exit')
    .addHelpText('after', (context) => `${moreSettings(context)}${serveHelp}${exitCodeHelp}`)
  for (const key of settingKeys) if (hasFlag(key)) addSetting(serving, key)
  serving.action(async (address: string | undefined, options: Options) => {
    const { serveCommand } = await import('./commands/serve.ts')
    const flags = { ...flagsIn(options), address }
    await serveCommand({ flags, environment, file: fileIn(options) }, { check: options['checkConfig'] === true })
  })

  const administration = (name: string, description: string): Command =>
    program
      .command(name)
      .summary(description)
      .description(
        `${description[0]?.toUpperCase()}${description.slice(1)}. Asks the running server; when none runs, opens the data directory itself.`,
      )
      .addOption(settingOption('data'))
      .option('--config <file>', 'a configuration file; also STOWAGE_CONFIG')
      .option('--json', 'print JSON')
      .addHelpText('after', exitCodeHelp)
  administration('status', 'show what is in a registry, and whether it is served').action(async (options: Options) => {
    const { statusCommand } = await import('./commands/status.ts')
    await statusCommand(inputOf(options), { json: options['json'] === true })
  })
  administration('sweep', 'delete now what has expired or is no longer referred to').action(
    async (options: Options) => {
      const { sweepCommand } = await import('./commands/sweep.ts')
      await sweepCommand(inputOf(options), { json: options['json'] === true })
    },
  )

  const inputOf = (options: Options): CommandInput => ({
    flags: { data: options['data'] },
    environment,
    file: fileIn(options),
  })

  // From here on only for the list: they never get here.
  for (const { name, summary } of administrationCommands) {
    if (!name.includes(' ')) program.addCommand(new Command(name).summary(summary))
  }
  for (const [name, summary] of administrationGroups) {
    const verbs = administrationCommands.flatMap((one) =>
      one.name.startsWith(`${name} `) ? [one.name.slice(name.length + 1)] : [],
    )
    program.addCommand(new Command(name).summary(`${summary}: ${verbs.join(', ')}`))
  }
  program.commandsGroup('Images and registries:')
  for (const { name, summary } of clientCommands) program.addCommand(new Command(name).summary(summary))
  const [first = ''] = argv
  if (/^[^-]/.test(first) && !serverCommands.includes(first)) {
    const names = listedCommands.flatMap(({ name, aliases }) => [name, ...aliases])
    throw unknownCommand(first, [...serverCommands, ...names, ...names.flatMap((name) => name.split(' ', 1))])
  }
  const problem = first === 'serve' ? toggleValueProblem(argv) : undefined
  if (problem !== undefined) throw new StowageError('usage', problem)
  await program.parseAsync([...argv], { from: 'user' })
}

type Options = Readonly<Record<string, unknown>>

const serverCommands = ['serve', 'status', 'sweep']

const fileIn = (options: Options): string | undefined =>
  typeof options['config'] === 'string' ? options['config'] : undefined

const flagsIn = (options: Options): Partial<Record<SettingKey, unknown>> =>
  Object.fromEntries(settingKeys.filter(hasFlag).map((key) => [key, options[settingOption(key).attributeName()]]))

const settingOption = (key: SettingKey): Option => {
  const { about, common, default: fallback } = settingOf(key)
  const note = fallback === undefined || isToggle(key) ? '' : ` (default ${fallback})`
  const flags = `${flagOf(key)} ${placeholderOf(key)}`.trimEnd()
  return new Option(flags, `${about.replaceAll('`', '')}${note}`).hideHelp(common !== true)
}

/**
 * A boolean has two flags, so that either may override the environment and the file. What all places must agree on, the command
 * line must not leave to the last word of two.
 */
const addSetting = (command: Command, key: SettingKey): void => {
  command.addOption(settingOption(key))
  if (!isToggle(key)) return
  const [on, off] = [flagOf(key), flagOf(key).replace('--', '--no-')]
  command.addOption(new Option(off).hideHelp())
  if (settingOf(key).unanimous !== true) return
  const given = new Set<string>()
  for (const flag of [on, off]) {
    command.on(`option:${flag.slice(2)}`, () => {
      if (given.add(flag).size > 1) command.error(`error: ${on} and ${off} contradict each other`)
    })
  }
}

/** Says what went wrong, and gives the exit code. What a person can put right comes without a stack. */
const report = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
  if (error instanceof StowageError) {
    process.stderr.write(`stowage: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`)
    return exitCodes[error.failure]
  }
  process.stderr.write(`stowage: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return exitCodes.internal
}
