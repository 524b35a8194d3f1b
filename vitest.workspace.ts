import { readdirSync } from 'node:fs'
import { playwright } from '@vitest/browser-playwright'
import type { TestProjectConfiguration } from 'vitest/config'

const packages = readdirSync(new URL('./packages/', import.meta.url))

const node: TestProjectConfiguration[] = packages.map(name => ({
  extends: true,
  root: `./packages/${name}`,
  test: {
    name,
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
  },
}))

/** The type tests of all packages: one run of the compiler. */
const types: TestProjectConfiguration = {
  extends: true,
  test: { name: 'types', include: [], typecheck: { enabled: true, only: true, include: ['packages/*/test/**/*.test-d.ts'] } },
}

/** Tests that run whole programs: the examples, every snippet of the documentation, the benchmarks' cells, the checks. */
const programs: TestProjectConfiguration[] = ['examples', 'docs', 'benchmarks', 'scripts'].map(name => ({
  extends: true,
  root: `./${name}`,
  test: { name, include: ['**/*.test.ts'], testTimeout: 60_000 },
}))

const chromium = process.env['CHROMIUM_PATH']

/** The packages that promise to run in browsers, with every test that needs no Node. */
const browser: TestProjectConfiguration[] = chromium
  ? ['core', 'testing', 'stages', 'streams', 'rxjs'].map(name => ({
      extends: true,
      root: `./packages/${name}`,
      test: {
        name: `${name} (browser)`,
        include: ['test/**/*.test.ts'],
        exclude: ['**/*.node.test.ts'],
        browser: {
          enabled: true,
          headless: true,
          screenshotFailures: false,
          provider: playwright({
            launchOptions: {
              executablePath: chromium,
              args: [
                '--no-sandbox',
                '--disable-gpu',
                '--disable-quic',
                '--no-first-run',
                '--disable-background-networking',
                '--disable-component-update',
                '--disable-sync',
              ],
            },
          }),
          instances: [{ browser: 'chromium' }],
        },
      },
    }))
  : []

export const projects: TestProjectConfiguration[] = [...node, types, ...programs, ...browser]
