import { type CompletedOption, type CompletionWords, completionWords } from './completion-words.ts'
import type { ListedCommand } from './find-command.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** A script that completes commands and options, made of the commands there are. References it leaves to the shell. */
export const completionScript = async (shell: Shell, list: readonly ListedCommand[]): Promise<string> =>
  scripts[shell](await completionWords(list))

const spellingsOf = (options: readonly CompletedOption[]): string =>
  options.flatMap(({ spellings }) => spellings).join(' ')

/** Names of commands that have the same options, with those. */
const sameOptions = (
  options: CompletionWords['options'],
): readonly (readonly [names: readonly string[], options: readonly CompletedOption[]])[] =>
  [...Map.groupBy(options, ([, known]) => spellingsOf(known)).values()].map((same) => [
    same.map(([name]) => name),
    same[0]?.[1] ?? [],
  ])

/** Options of any command whose value is the next word, or a file there. */
const valued = ({ options }: CompletionWords, kinds: readonly CompletedOption['value'][]): string => {
  const all = [...options.values()].flat().filter(({ value }) => kinds.includes(value))
  return [...new Set(all.flatMap(({ spellings }) => spellings))].join(' ')
}

/** What bash and zsh have in common: which command is being written, and what may come next. `cur` and `before` are set. */
const choose = (words: CompletionWords): string => {
  const optionCases = [...sameOptions(words.options)].map(
    ([names, options]) => `    ${names.map((name) => `"${name}"`).join('|')}) options="${spellingsOf(options)}" ;;`,
  )
  const verbCases = [...words.verbs].map(([group, verbs]) => `    ${group}) verbs="${[...verbs.keys()].join(' ')}" ;;`)
  return `  local valued=" ${valued(words, ['file', 'other'])} "
  local first="" second="" previous="" word="" options="" verbs=""
  for word in "\${before[@]}"; do
    if [[ "$valued" == *" $previous "* ]]; then previous=""; continue; fi
    previous="$word"
    if [[ "$word" == -* ]]; then continue; fi
    if [[ -z "$first" ]]; then first="$word"; elif [[ -z "$second" ]]; then second="$word"; fi
  done
  case "$first" in
${verbCases.join('\n')}
  esac
  local command="$first"
  if [[ -n "$second" && " $verbs " == *" $second "* ]]; then command="$first $second"; fi
  case "$command" in
${optionCases.join('\n')}
  esac
  local choices=""
  if [[ -n "$previous" && "$valued" == *" $previous "* ]]; then choices=""
  elif [[ "$cur" == -* ]]; then choices="$options"
  elif [[ -z "$first" ]]; then choices="${[...words.first.keys()].join(' ')}"
  elif [[ -z "$second" ]]; then choices="$verbs"
  fi`
}

const bash = (words: CompletionWords): string => `# Completion of stowage for bash. Made by: stowage completion bash
_stowage() {
  local cur="\${COMP_WORDS[COMP_CWORD]}"
  local -a before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${choose(words)}
  COMPREPLY=($(compgen -W "$choices" -- "$cur"))
}
complete -o bashdefault -o default -F _stowage stowage`

const zsh = (words: CompletionWords): string => `#compdef stowage
# Completion of stowage for zsh. Made by: stowage completion zsh
_stowage() {
  local cur="\${words[CURRENT]}"
  local -a before=("\${(@)words[2,CURRENT-1]}")
${choose(words)}
  if [[ -n "$choices" ]]; then compadd -- \${=choices}; else _files; fi
}
if [[ "\${funcstack[1]}" == _stowage ]]; then _stowage "$@"; else compdef _stowage stowage; fi`

/** In single quotes, as fish has them. */
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

const fish = ({ first, verbs, options }: CompletionWords): string => {
  const firsts = [...first].map(
    ([word, about]) => `complete -c stowage -n '__stowage_is ""' -a ${word} -d ${quoted(about)}`,
  )
  const seconds = [...verbs].flatMap(([group, known]) =>
    [...known].map(([verb, about]) => `complete -c stowage -n '__stowage_is ${group}' -a ${verb} -d ${quoted(about)}`),
  )
  const flags = [...sameOptions(options)].flatMap(([names, known]) =>
    known.map(({ spellings, about, value }) => {
      const written = spellings.map((one) => (one.startsWith('--') ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`))
      const follows = value === 'none' ? '' : value === 'file' ? ' -r -F' : ' -x'
      const condition = `__stowage_is ${names.map((name) => `"${name}"`).join(' ')}`
      return `complete -c stowage -n ${quoted(condition)} ${written.join(' ')}${follows} -d ${quoted(about)}`
    }),
  )
  const groups = [...verbs].map(
    ([group, known]) => `    case ${[...known.keys()].map((verb) => `'${group} ${verb}'`).join(' ')}`,
  )
  return `# Completion of stowage for fish. Made by: stowage completion fish
function __stowage_is
  set -l command (string match -v -- '-*' (commandline -opc)[2..-1])
  set -l name "$command[1]"
  switch "$command[1] $command[2]"
${groups.map((line) => `${line}\n      set name "$command[1] $command[2]"`).join('\n')}
  end
  contains -- "$name" $argv
end
${[...firsts, ...seconds, ...flags].join('\n')}`
}

const scripts: Readonly<Record<Shell, (words: CompletionWords) => string>> = { bash, zsh, fish }
