import { defineConfig } from 'vitest/config'

// Needs a PostgreSQL: run by `npm run test:postgres`, which starts one.
// `import` is not among these conditions: Node would apply it to what CommonJS modules require, too.
const conditions = ['@stowage/source', 'node']

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/**/*.pgtest.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
