import { valueSchema } from '../config/kinds.ts'
import { settingKeys, settingOf, type Settings } from '../config/settings.ts'
import { show } from '../config/show.ts'
import type { Problem } from '../failure.ts'

/**
 * Settings that would do nothing, for nobody is asked who they are: whoever wrote them down relies on them. One that has the
 * value it has by itself is none of them, and `admin.*` is not either, for it only ever prepares an account.
 */
export const withoutAuth = (settings: Settings): Problem[] => {
  const isOff = `auth is ${settings.auth === false ? 'off' : 'not on'}`
  const idle = settingKeys.flatMap((key): Problem[] => {
    const { needsAuth, default: fallback } = settingOf(key)
    const value = settings[key]
    if (needsAuth !== true || value === undefined) return []
    if (fallback !== undefined && valueSchema(key).parse(fallback) === value) return []
    // What 0 asks for is what holds.
    if (key === 'limits.requestRate' && value === 0) return []
    const message = `${key} does nothing while ${isOff}, for nobody is asked who they are. Turn auth on, or leave it away.`
    return [{ key, message }]
  })
  const user = settings['policies.quotas']?.find((quota) => 'user' in quota)
  if (user === undefined || !('user' in user)) return idle
  const message =
    `policies.quotas limits the user ${show(user.user)}, and while ${isOff} there are no users. ` +
    'Turn auth on, or limit repositories.'
  return [...idle, { key: 'policies.quotas', message }]
}
