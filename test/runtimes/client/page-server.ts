/**
 * Serves a page that loads the built packages as they are: modules over HTTP, found through an import map, with no bundler between
 * that could put something in place of what a browser does not have.
 */
import { readFile, realpath } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { extname, join } from 'node:path'
import { repositoryRoot } from '../../clients/stowage-server.ts'
import { listen } from './servers.ts'

/** The entries a page may import, and where they were built. */
export const entries = {
  '@stowage/oci': 'packages/oci/dist/index.js',
  '@stowage/client': 'packages/client/dist/index.js',
  '@stowage/client/reggie': 'packages/client/dist/reggie/index.js',
} as const

/** Packages of others that these stand on: only what they need is served. */
const foreign = { '@noble/hashes/': 'node_modules/@noble/hashes/' } as const

const imports = Object.fromEntries(Object.entries({ ...entries, ...foreign }).map(([name, path]) => [name, `/${path}`]))

const page = `<!doctype html>
<meta charset="utf-8">
<title>A page of another origin</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>`

const served =
  /^\/(?:packages\/(?:oci|client)\/dist|node_modules\/@noble\/hashes|test\/runtimes\/client)\/[\w./-]+\.(?:js|ts)$/

/** The page's own origin is by name, so that to the registries, which are addresses, it is one of another site. */
export const startPageServer = async () => {
  const missing: string[] = []
  const handler: RequestListener = (request, response) => {
    const path = new URL(request.url ?? '/', 'http://page.test').pathname
    const answer = async (): Promise<void> => {
      if (path === '/') {
        response.writeHead(200, { 'content-type': 'text/html' }).end(page)
        return
      }
      const code = served.test(path) ? await moduleAt(path).catch(() => undefined) : undefined
      if (code === undefined) missing.push(path)
      response.writeHead(code === undefined ? 404 : 200, { 'content-type': 'text/javascript' }).end(code)
    }
    void answer()
  }
  const server = await listen(handler)
  const origin = `http://localhost:${new URL(server.url).port}`
  return {
    ...server,
    origin,
    /** What the page asked for and did not get. */
    missing,
  }
}

const moduleAt = async (path: string): Promise<string> => {
  const file = await realpath(join(repositoryRoot, path))
  const code = await readFile(file, 'utf8')
  return extname(path) === '.ts' ? stripTypeScriptTypes(code) : code
}
