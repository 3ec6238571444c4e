import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// As in the configuration of all other tests: the workspace packages resolve to their `src`.
const conditions = ['@stowage/source', 'node']

/** The proof of access control: tens of thousands of requests, compared with a model that was written apart. */
export default defineConfig({
  root: join(import.meta.dirname, '..', '..'),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/access/**/*.accesstest.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
})
