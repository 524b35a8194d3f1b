import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingImports, packageExports, typeErrors, type Exports } from './compile.ts'
import type { Snippet } from './extract.ts'
import { run, type RunOptions } from './run.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Snippets made ready to be run, in a folder of their own below `node_modules`, where the packages can be imported. */
export interface Suite extends Disposable {
  /** What is wrong with a snippet, as sentences: first its types, then, if they are right, what it does. */
  problems(snippet: Snippet, options?: RunOptions): Promise<readonly string[]>
}

export function prepare(snippets: readonly Snippet[]): Suite {
  const exports: Exports = snippets.some(snippet => snippet.isComment) ? packageExports(root) : new Map()
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'snippets-'))
  const modules = new Map(
    snippets.map(snippet => {
      const imports = snippet.isComment ? missingImports(snippet.code, exports) : ''
      // What is added stands at the end, so that line numbers are those of the page.
      return [fileOf(folder, snippet), `${snippet.code}\n${imports}\nexport {}\n`]
    }),
  )
  const errors = typeErrors(root, modules)
  return {
    async problems(snippet, options) {
      const file = fileOf(folder, snippet)
      const code = modules.get(file)
      if (code === undefined) throw new Error(`${snippet.file}:${snippet.line} was not prepared`)
      const wrong = errors.get(file) ?? []
      return wrong.length > 0 || !snippet.runs ? wrong : run(file, code, options)
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** `.mts`: below `node_modules` a plain `.ts` file would not count as an ES module. */
function fileOf(folder: string, { file, line }: Snippet): string {
  return join(folder, `${file.replaceAll('/', '-')}-${line}.mts`)
}
