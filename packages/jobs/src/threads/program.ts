import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** What the threads run. It stands beside this file, be that source, an ES module or CommonJS, and has the same ending. */
export const program: string = import.meta.url.replace(/[^/]*(\.[cm]?[jt]s)(\?.*)?$/, (_, ending: string) =>
  ending === '.ts' ? 'worker.ts' : `threads-worker${ending}`,
)

/**
 * Flags of Node that the threads need. From source, without a build, a thread has to read TypeScript: tsx teaches it, which only those have
 * who work on this package.
 */
export function programFlags(): readonly string[] {
  if (!program.endsWith('.ts')) return []
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))
  const register = `import { register } from ${JSON.stringify(new URL('dist/esm/api/index.mjs', tsx))}; register()`
  return ['--conditions=@genstage/source', '--import', `data:text/javascript,${encodeURIComponent(register)}`]
}
