import { createHash } from 'node:crypto'
import { isLoopback } from '../config/address.ts'
import { version } from '../version.ts'
import { firstPush } from './host.ts'
import type { Page } from './page.ts'

const style = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6576; --paper: #f6f7f9; --card: #fff; --line: #dde1e8; --accent: #0b6bcb }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #9aa4b5; --paper: #12151b; --card: #1a1f28; --line: #2c3340; --accent: #6cb4ff }
}
* { box-sizing: border-box }
body { margin: 0; padding: 8vh 1.25rem 3rem; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 44rem; margin: 0 auto }
h1 { margin: 0; font-size: 1.75rem; letter-spacing: -.02em }
h2 { margin: 2rem 0 .5rem; font-size: 1rem }
p { margin: .5rem 0 }
.address { color: var(--accent); font-family: ui-monospace, monospace; font-size: 1.05rem; overflow-wrap: anywhere }
pre { margin: 0; padding: .9rem 1.1rem; overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  font: .9rem/1.75 ui-monospace, monospace }
pre span { color: var(--soft); user-select: none }
code { font-family: ui-monospace, monospace; font-size: .92em }
.note, footer { color: var(--soft); font-size: .9rem }
footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--line) }
a { color: var(--accent) }
`

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export interface LandingFacts {
  readonly host: string
  readonly secure: boolean
  /** Whether one has to log in. */
  readonly login: boolean
}

/** What a person sees who opens the registry in a browser: its address, and how to push and pull. */
export const landingPage = ({ host, secure, login }: LandingFacts): Page => ({
  status: 200,
  type: 'text/html; charset=utf-8',
  headers: { 'content-security-policy': policy, 'referrer-policy': 'no-referrer', vary: 'Accept' },
  body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(host)} – Stowage</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>An OCI registry</h1>
<p class="address">${escape(host)}</p>
<h2>Push a first image</h2>
${commands(firstPush(host, login))}
<h2>Pull it on another day, or another machine</h2>
${commands([`docker pull ${host}/hello-world`])}
${secure || onThisMachine(host) ? '' : insecure(host)}
<h2>Anything else that speaks OCI</h2>
${commands([`skopeo copy ${secure ? '' : '--dest-tls-verify=false '}docker://docker.io/library/alpine docker://${host}/alpine`])}
<footer>The API begins at <a href="/v2/"><code>/v2/</code></a> and is that of the OCI distribution specification. Stowage ${escape(version)}</footer>
</main>
</body>
</html>
`,
})

const commands = (lines: readonly string[]): string =>
  `<pre>${lines.map((line) => `<span>$ </span>${escape(line)}`).join('\n')}</pre>`

const insecure = (host: string): string =>
  `<p class="note">This address speaks plain HTTP, which Docker refuses beyond its own machine until
<code>/etc/docker/daemon.json</code> says <code>{ "insecure-registries": ["${escape(host)}"] }</code>.</p>`

const onThisMachine = (host: string): boolean => {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  return name === 'localhost' || isLoopback(name)
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
