import type { Output } from '../terminal/output.ts'
import { askAccounts } from './ask.ts'
import type { CommandInput } from './input.ts'
import { allPages } from './pages.ts'

/** Does something that may take the last administrator away, and says so when it did. */
export const watchingAdministrators = async <T>(
  input: CommandInput,
  output: Pick<Output, 'line'>,
  name: string,
  work: () => Promise<T>,
): Promise<T> => {
  const users = await allPages(
    async (page) => (await askAccounts(input, 'user-list', page)).users,
    (user) => user.name,
  )
  const able = users.filter(({ administrator, disabled }) => administrator && !disabled)
  const done = await work()
  if (able.length === 1 && able[0]?.name === name) {
    output.line(
      `warning: ${name} was the last administrator. Commands on this machine go on working; ` +
        'make another one: stowage user set NAME --administrator',
      'yellow',
    )
  }
  return done
}
