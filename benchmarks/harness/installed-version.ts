import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The version of an installed package: a table names what was measured. */
export function installedVersion(name: string): string {
  const { version } = require(`${name}/package.json`) as { readonly version: string }
  return version
}
