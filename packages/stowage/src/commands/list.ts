import { clientCommands } from '../client-commands/list.ts'
import type { ListedCommand } from '../command-line/find-command.ts'
import { upkeepCommands } from './upkeep-list.ts'

/** What the groups of administration commands are about, in the order of `stowage --help`. */
export const administrationGroups: ReadonlyMap<string, string> = new Map([
  ['retention', 'rules: which tags stay'],
  ['user', 'users, their passwords and groups'],
  ['token', 'personal access tokens'],
  ['access', 'rules: who may do what'],
  ['issuer', 'OIDC issuers whose tokens are taken'],
  ['key', 'the keys that tokens are signed with'],
])

/**
 * The commands on a registry of one's own. A new one is an entry here and a file beside this one; it has to be in `docs/administration.md`
 * too, as the test of that page will say.
 */
export const administrationCommands: readonly ListedCommand[] = [
  ...upkeepCommands,
  {
    name: 'user add',
    aliases: [],
    summary: 'add a user',
    load: async () => (await import('./user-add.ts')).userAdd,
  },
  {
    name: 'user passwd',
    aliases: ['user password'],
    summary: 'set the password of a user',
    load: async () => (await import('./user-passwd.ts')).userPasswd,
  },
  {
    name: 'user set',
    aliases: [],
    summary: 'change the groups of a user, or whether it is an administrator',
    load: async () => (await import('./user-set.ts')).userSet,
  },
  {
    name: 'user disable',
    aliases: [],
    summary: 'lock a user out, at once',
    load: async () => (await import('./user-disable.ts')).userDisable,
  },
  {
    name: 'user enable',
    aliases: [],
    summary: 'let a user in again',
    load: async () => (await import('./user-enable.ts')).userEnable,
  },
  {
    name: 'user rm',
    aliases: ['user delete'],
    summary: 'remove a user, with its tokens and rules',
    load: async () => (await import('./user-rm.ts')).userRm,
  },
  {
    name: 'user ls',
    aliases: ['user list'],
    summary: 'list the users',
    load: async () => (await import('./user-ls.ts')).userLs,
  },
  {
    name: 'token add',
    aliases: [],
    summary: 'make a personal access token, and print its secret once',
    load: async () => (await import('./token-add.ts')).tokenAdd,
  },
  {
    name: 'token ls',
    aliases: ['token list'],
    summary: 'list the tokens',
    load: async () => (await import('./token-ls.ts')).tokenLs,
  },
  {
    name: 'token rm',
    aliases: ['token delete'],
    summary: 'remove a token, at once',
    load: async () => (await import('./token-rm.ts')).tokenRm,
  },
  {
    name: 'access allow',
    aliases: ['access add'],
    summary: 'add a rule',
    load: async () => (await import('./access-allow.ts')).accessAllow,
  },
  {
    name: 'access ls',
    aliases: ['access list'],
    summary: 'list the rules',
    load: async () => (await import('./access-ls.ts')).accessLs,
  },
  {
    name: 'access rm',
    aliases: ['access delete'],
    summary: 'remove a rule',
    load: async () => (await import('./access-rm.ts')).accessRm,
  },
  {
    name: 'access explain',
    aliases: [],
    summary: 'say whether somebody may do something, and which rule decides',
    load: async () => (await import('./access-explain.ts')).accessExplain,
  },
  {
    name: 'issuer add',
    aliases: [],
    summary: 'trust the tokens of an OIDC issuer',
    load: async () => (await import('./issuer-add.ts')).issuerAdd,
  },
  {
    name: 'issuer ls',
    aliases: ['issuer list'],
    summary: 'list the trusted issuers',
    load: async () => (await import('./issuer-ls.ts')).issuerLs,
  },
  {
    name: 'issuer rm',
    aliases: ['issuer delete'],
    summary: 'trust an issuer no more',
    load: async () => (await import('./issuer-rm.ts')).issuerRm,
  },
  {
    name: 'key ls',
    aliases: ['key list'],
    summary: 'list the signing keys',
    load: async () => (await import('./key-ls.ts')).keyLs,
  },
  {
    name: 'key rotate',
    aliases: [],
    summary: 'sign with a new key from now on',
    load: async () => (await import('./key-rotate.ts')).keyRotate,
  },
]

/** All that the command line finds by their names; `serve`, `status` and `sweep` are beside them. */
export const listedCommands: readonly ListedCommand[] = [...clientCommands, ...administrationCommands]
