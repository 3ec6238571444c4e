import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// As in the configuration of all other tests: the workspace packages resolve to their `src`.
const conditions = ['@stowage/source', 'node']

/** Tests that need programs of Debian: `docker-registry`, `skopeo` and their like. */
export default defineConfig({
  root: join(import.meta.dirname, '..', '..'),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.peertest.ts', 'test/peers/**/*.peertest.ts'],
    // Each file starts programs of its own; one file after the other keeps a small machine from starving them.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
