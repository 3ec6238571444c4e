import { defineConfig } from 'vitest/config'
const conditions = ['@stowage/source', 'node']
export default defineConfig({
  root: '/work/main',
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['test/.review/**/*.test.ts'], exclude: [], testTimeout: 20_000 },
})
