import { OptionsError } from '../errors.ts'
import { described } from './passwords/htpasswd-file.ts'
import { parseHtpasswd } from './passwords/htpasswd-lines.ts'
import { readSecretFile } from './tokens/secret-file.ts'
import { weakness } from './tokens/secret.ts'
import { checkedKeys } from './workloads/remote-keys.ts'

/**
 * What is wrong with what options hold or name, for who wants to know before a registry is opened. In words that name no option;
 * undefined when nothing is. They never repeat what was given.
 */
export interface FileProblems {
  /** Of `accounts.secret`. */
  secret(text: string): string | undefined
  /** Of the text in the file of `accounts.htpasswd`: the lines that are wrong. */
  htpasswd(text: string): string | undefined
  /** Of the text in the file of `accounts.tokenServer.jwks`. */
  jwks(text: string): string | undefined
  /** Of `secret.key` in a data directory. One that is not there is no problem: the first start makes it. */
  secretFile(directory: string): Promise<string | undefined>
}

export const fileProblems: FileProblems = {
  secret: weakness,
  htpasswd: (text) => {
    const { problems } = parseHtpasswd(text)
    return problems.length === 0 ? undefined : described(problems)
  },
  jwks: (text) => {
    try {
      checkedKeys(JSON.parse(text))
      return undefined
    } catch {
      // The parser's own words have a piece of the file, which may be another than was meant.
      return 'it is not a JSON Web Key Set'
    }
  },
  secretFile: async (directory) => {
    try {
      await readSecretFile(directory)
      return undefined
    } catch (error) {
      // A directory that cannot be used at all is another matter.
      return error instanceof OptionsError ? error.message : undefined
    }
  },
}
