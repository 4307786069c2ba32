// The two projects of tests: `unit` beside the sources, `e2e` with real processes, clients and servers.
import { defineConfig } from 'vitest/config'

const source = { resolve: { conditions: ['lks-source'] }, ssr: { resolve: { conditions: ['lks-source'] } } }
const shared = { execArgv: ['--conditions=lks-source'], testTimeout: 30_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    coverage: { provider: 'v8', include: ['packages/*/src/**'], exclude: ['**/*.test.ts', '**/*.contract.ts'] },
    projects: [
      {
        ...source,
        test: {
          ...shared,
          name: 'unit',
          include: ['packages/*/{src,test}/**/*.test.ts', 'scripts/**/*.test.ts', 'test/chaos/**/*.test.ts'],
        },
      },
      {
        ...source,
        test: {
          ...shared,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/testing/build.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
