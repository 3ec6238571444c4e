import { actions } from '../config/setting.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'

export type Actions = (typeof actions)[number][]

/** `pull,push`. @throws StowageError `usage` */
export const readActions = (text: string): Actions => {
  const words = text.split(',').map((word) => word.trim())
  return words.map((word) => {
    const known = actions.find((action) => action === word)
    if (known !== undefined) return known
    throw new StowageError('usage', `${show(word)} is no action. There are ${actions.join(', ')}.`)
  })
}

/** As lists show them. */
export const describePermission = ({
  repositories,
  actions: allowed,
}: {
  readonly repositories: string
  readonly actions: readonly string[]
}): string => `${repositories}: ${allowed.join(',')}`
