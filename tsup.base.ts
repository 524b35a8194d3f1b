import { defineConfig, type Options } from 'tsup'

/** Build settings that every package shares: ESM, CJS and types, one bundle per public entry. */
export const libraryConfig = (entry: Record<string, string>, extra: Partial<Options> = {}): ReturnType<typeof defineConfig> =>
  defineConfig({
    entry,
    format: ['esm', 'cjs'],
    dts: {
      // Programs with the default libraries do not know Disposable, which our types speak of
      banner: '/// <reference lib="esnext.disposable" />',
      // tsup 8 sets baseUrl, which TypeScript 6 calls an error (TS5101)
      compilerOptions: { ignoreDeprecations: '6.0' },
    },
    sourcemap: true,
    clean: true,
    treeshake: true,
    splitting: true,
    target: 'es2022',
    ...extra,
  })
