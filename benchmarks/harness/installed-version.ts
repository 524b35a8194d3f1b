import { readFileSync } from 'node:fs'

/** The version of an installed package: a table names what was measured. Read from its file, which not every package exports. */
export function installedVersion(name: string): string {
  const manifest = readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { readonly version: string }
  return version
}
