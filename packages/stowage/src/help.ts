import type { Command } from 'commander'
import { flagOf, hasFlag, isToggle, placeholderOf, settingKeys, settingOf } from './config/settings.ts'

export const commandHelp = `
Examples:
  stowage serve                                  serve ./data on 127.0.0.1:5000
  stowage serve 8000 --data /srv/images          choose the port and the place
  stowage status                                 what is in ./data, and is it served?
  stowage doctor                                 is anything wrong with it?
  stowage user add admin --administrator         the first user, for stowage serve --auth
  stowage cp alpine:3.20 localhost:5000/alpine   copy an image, with all its platforms
  stowage ls localhost:5000/alpine               its tags
  stowage manifest localhost:5000/alpine         its manifest

Each command has its own help: stowage serve --help, stowage help ls
`

export const serveHelp = `
Every setting is also a key of the configuration file and a variable in the environment (--data is data: and
STOWAGE_DATA). A flag goes before the environment, that before the file, that before the default. Passwords have no flag.

Examples:
  stowage serve                                    this machine only, on port 5000, in ./data
  stowage serve localhost:8000 --data /srv/images
  stowage serve 0.0.0.0 --allow-anonymous          for everyone who can reach this machine
  stowage serve :443 --auth --tls-cert cert.pem --tls-key key.pem
  stowage serve --config stowage.yaml --check-config
`

export const exitCodeHelp = `
Exit codes:
  0   done, or stopped as told           70  a defect; the message has the details
  64  the command line is wrong          73  the data directory cannot be used
  66  there is no registry there         75  another process uses the data directory
  69  the address cannot be had, or the  78  the configuration is wrong, or asks for
      server does not answer                 what is refused
`

export const administrationExitCodeHelp = `
Exit codes:
  0   done, or allowed                   69   the running server does not answer
  1   any other failure                  70   a defect; the message has the details
  3   there is no such user, tag, …      73   the data directory cannot be used
  5   denied: stowage access explain,    75   another process uses the data directory
      or a policy forbids it             78   the configuration is wrong
  9   doctor or scrub found problems     130  interrupted
  64  the command line is wrong
  66  there is no registry there
`

export const clientExitCodeHelp = `
Exit codes:
  0   done                        6    rate-limited
  1   any other failure           7    digest mismatch
  3   not found                   8    no connection, or one that broke
  4   not logged in               64   the command line is wrong
  5   denied                      70   a defect; the message has the details
                                  130  interrupted
`

/** The settings that are not among the first ones, wrapped as the options above them are. */
export const moreSettings = ({ command }: { readonly command: Command }): string => {
  const helper = command.createHelp()
  helper.prepareContext({ helpWidth: process.stdout.columns ?? 100 })
  helper.minWidthToWrap = 20
  const rows = settingKeys
    .filter((key) => settingOf(key).common !== true && hasFlag(key))
    .map((key) => {
      const { default: fallback, about } = settingOf(key)
      const flag = flagOf(key)
      const negative = ` (default on; ${flag.replace('--', '--no-')} turns it off)`
      const known = fallback === undefined || isToggle(key) ? '' : ` (default ${fallback})`
      const note = fallback === true ? negative : known
      return { left: `${flag} ${placeholderOf(key)}`.trimEnd(), right: `${about.replaceAll('`', '')}${note}` }
    })
  const width = Math.max(...rows.map(({ left }) => left.length))
  return `\nMore settings:\n${rows.map(({ left, right }) => helper.formatItem(left, width, right, helper)).join('\n')}\n`
}
