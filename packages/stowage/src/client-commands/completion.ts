import { completionScript, shells } from '../command-line/completion.ts'
import { defineCommand } from '../command-line/define.ts'
import { StowageError } from '../failure.ts'

export const completion = defineCommand({
  usage: '<shell>',
  arguments: { shell: 'bash, zsh or fish' },
  about: 'Prints a script that completes commands and options in a shell.',
  sides: 'none',
  examples: [
    ['source <(stowage completion bash)', 'for this session of bash'],
    ['stowage completion bash > /etc/bash_completion.d/stowage', 'for all of bash'],
    ['stowage completion zsh > "${fpath[1]}/_stowage"', 'for zsh'],
    ['stowage completion fish > ~/.config/fish/completions/stowage.fish', 'for fish'],
  ],
  async run({ args: [shell], output }) {
    const known = shells.find((one) => one === shell)
    if (known === undefined) throw new StowageError('usage', `There is a script for ${shells.join(', ')}.`)
    // Not before: the list has this command in it.
    const { listedCommands } = await import('../commands/list.ts')
    const script = await completionScript(known, listedCommands)
    await output.result({ shell: known, script }, script)
  },
})
