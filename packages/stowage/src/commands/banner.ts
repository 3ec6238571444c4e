import type { Address } from '../config/address.ts'
import type { Settings } from '../config/settings.ts'
import { escapeControls } from '../config/show.ts'
import { firstPush } from '../server/host.ts'

export interface BannerFacts {
  readonly url: string
  readonly listening: Address
  readonly data: string
  readonly settings: Pick<Settings, 'auth' | 'publicUrl'>
  readonly notices: readonly string[]
}

/** What a person reads who has just started a registry. */
export const banner = ({ url, listening, data, settings, notices }: BannerFacts): string => {
  const behind =
    settings.publicUrl === undefined
      ? ''
      : `\n  Listening on    ${listening.host === '' ? '*' : listening.host}:${listening.port}`
  return `
  Registry        ${url}${behind}
  Data directory  ${escapeControls(data)}
${notices.map((notice) => `\n  ${escapeControls(notice)}\n`).join('')}
  Push a first image:

    ${firstPush(new URL(url).host, settings.auth === true).join('\n    ')}

  Press Ctrl-C to stop.

`
}
