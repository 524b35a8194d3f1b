import { defineConfig } from 'vitest/config'
import { projects } from './vitest.workspace.ts'

export default defineConfig({
  resolve: { conditions: ['@genstage/source', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['@genstage/source', 'import', 'module', 'node', 'default'] } },
  test: { projects, expect: { poll: { timeout: 20_000 } }, coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'] } },
})
