import type { Address } from '../config/address.ts'
import type { Settings } from '../config/settings.ts'
import { escapeControls } from '../config/show.ts'
import { firstPush } from '../server/host.ts'

export interface BannerFacts {
  readonly url: string
  readonly listening: Address
  readonly data: string
  readonly settings: Pick<Settings, 'tls.cert' | 'publicUrl'>
}

/** What a person reads who has just started a registry. */
export const banner = ({ url, listening, data, settings }: BannerFacts): string => {
  const behind =
    settings.publicUrl === undefined
      ? ''
      : `\n  Listening on    ${listening.host === '' ? '*' : listening.host}:${listening.port}`
  return `
  Registry        ${url}${behind}
  Data directory  ${escapeControls(data)}

  Push a first image:

    ${firstPush(new URL(url).host).join('\n    ')}

  Press Ctrl-C to stop.

`
}
